import type { TensorType } from "../src/format/dtypes.js";
import { packedBytes, sparseScratchBytes, tiledScratchBytes } from "../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import { referenceMatmul } from "../test/kernels/support/linear-reference.js";
import {
  activeLists,
  isFloat,
  packedId,
  putActive,
  putSlabShape,
  quantize,
} from "../test/kernels/support/packing.js";
import { sparseGaussian } from "../test/kernels/support/tensors.js";
import { relativeRms } from "../test/support/close.js";
import { seededRandom } from "../test/support/random.js";
import { checkProduct, DOWN_PROJ, placeSlab } from "./weights.js";
import { type Case, cycle } from "./workspace.js";

const SHAPE = `${DOWN_PROJ.name} ${DOWN_PROJ.rows}x${DOWN_PROJ.cols}`;

/** A share of `density` of the neurons is active; amount and bytes count only those. */
function sparseCase(type: TensorType, density: number, n: number): Case {
  const { rows: outputs, cols: neurons } = DOWN_PROJ;
  const packed = PACKED_TYPE_OF[type];
  const x = sparseGaussian(n * neurons, density, seededRandom(4));
  const lists = activeLists(x, n);
  const active = lists.reduce((total, list) => total + list.length, 0);
  const bytes = (packedBytes(packed, outputs, neurons) * active) / neurons;
  const kernel = isFloat(type) ? "sparseMatmulF32" : "sparseMatmulI16";
  return {
    name: `${kernel} ${packed} ${SHAPE}, ` + `${density * 100} % active, ${`${n} tokens`}, DRAM`,
    amount: active * outputs,
    unit: "MAC",
    dramBytes: n === 1 ? bytes : undefined,
    prepare(workspace) {
      const { bench } = workspace;
      const { sparseMatmulF32, sparseMatmulI16 } = bench.kernels;
      const w = placeSlab(workspace, type, DOWN_PROJ);
      const activations = quantize(bench, x, n);
      const [xPtr, yPtr] = [bench.put(x), bench.region(n * outputs * 4)];
      const activePtr = putActive(bench, lists, neurons);
      const shapePtr = putSlabShape(bench, { neurons, outputs });
      const scratchPtr = bench.region(sparseScratchBytes(n, outputs));
      const id = packedId(type);
      const next = cycle(w.addresses);
      const { ptr } = activations;
      const run = isFloat(type)
        ? () => sparseMatmulF32(yPtr, next(), id, xPtr, activePtr, n, shapePtr)
        : () => sparseMatmulI16(yPtr, next(), id, ptr, activePtr, n, shapePtr, scratchPtr);
      return {
        run,
        check() {
          run();
          checkProduct(bench.f32(yPtr, n * outputs), w.tensor, { x, n, activations });
        },
      };
    },
  };
}

/** The same in tiles: what prefill does. */
function tilesCase(type: TensorType, density: number, n: number): Case {
  const { rows: outputs, cols: neurons } = DOWN_PROJ;
  const x = sparseGaussian(n * neurons, density, seededRandom(5)).map(Math.abs);
  const lists = activeLists(x, n);
  return {
    name:
      `sparseMatmulTiles ${PACKED_TYPE_OF[type]} ${SHAPE}, ` +
      `${density * 100} % active, ${n} tokens, DRAM`,
    amount: lists.reduce((total, list) => total + list.length, 0) * outputs,
    unit: "MAC",
    prepare(workspace) {
      const { bench } = workspace;
      const { pairActiveF32, sparseMatmulTiles } = bench.kernels;
      const w = placeSlab(workspace, type, DOWN_PROJ);
      const activePtr = putActive(bench, lists, neurons);
      const xPtr = bench.put(x);
      const scales = lists.map(({ length }, t) =>
        pairActiveF32(activePtr + (n + t * neurons) * 4, length, xPtr + t * neurons * 4),
      );
      const scalesPtr = bench.put(Float32Array.from(scales));
      const yPtr = bench.region(n * outputs * 4);
      const shapePtr = putSlabShape(bench, { neurons, outputs });
      const scratchPtr = bench.region(tiledScratchBytes(neurons, outputs));
      const id = packedId(type);
      const next = cycle(w.addresses);
      const run = (): void =>
        sparseMatmulTiles(yPtr, next(), id, activePtr, scalesPtr, n, shapePtr, scratchPtr);
      return {
        run,
        check() {
          run();
          const { rows, cols, values } = w.tensor;
          for (const t of [0, n - 1]) {
            const row = x.subarray(t * cols, (t + 1) * cols);
            const { y } = referenceMatmul(values, row, { n: 1, rows, cols });
            const error = relativeRms(bench.f32(yPtr + t * outputs * 4, rows), y);
            if (!(error < 3e-3)) throw new Error(`token ${t}: relative rms ${error}`);
          }
        },
      };
    },
  };
}

/** All cases of the down-projection. */
export const SPARSE_CASES: readonly Case[] = [
  ...[0.05, 0.1, 0.2, 0.5, 1].map((density) => sparseCase("Q8_0", density, 1)),
  ...(["Q4_0", "Q4_K", "Q6_K", "F16"] as const).map((type) => sparseCase(type, 0.1, 1)),
  sparseCase("Q8_0", 0.1, 128),
  ...(["Q8_0", "Q4_0", "Q4_K"] as const).map((type) => tilesCase(type, 0.1, 128)),
];
