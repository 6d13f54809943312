import type { TensorType } from "../src/format/dtypes.js";
import {
  i16RowBytes,
  packedBytes,
  sparseScratchBytes,
  unpackedPanelBytes,
} from "../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import { assertWithin } from "../test/kernels/linear-reference.js";
import {
  activeLists,
  isFloat,
  packedId,
  putActive,
  putShape,
  quantize,
  readActivations,
} from "../test/kernels/packing.js";
import { sparseGaussian } from "../test/kernels/tensors.js";
import { gaussian, seededRandom } from "../test/random.js";
import { ABSORBED_CASES } from "./absorbed.js";
import {
  checkProduct,
  DOWN_PROJ,
  type Matrix,
  placePanels,
  placeSlab,
  Q_PROJ,
  SOURCE_TYPES,
  UP_PROJ,
} from "./weights.js";
import { type Case, cycle, type Home } from "./workspace.js";

const shapeOf = ({ name, rows, cols }: Matrix): string => `${name} ${rows}x${cols}`;
const tokens = (n: number): string => (n === 1 ? "1 token" : `${n} tokens`);

/** Bytes from DRAM of a case that reads `bytes` of weights. */
const fromHome = (home: Home, bytes: number): number | undefined =>
  home === "DRAM" ? bytes : undefined;

function quantizeCase(rows: number, n: number): Case {
  return {
    name: `quantizeI16 ${rows}x${n}`,
    amount: rows * n,
    unit: "element",
    prepare({ bench }) {
      const x = gaussian(rows * n, seededRandom(1));
      const xPtr = bench.put(x);
      const yPtr = bench.region(rows * i16RowBytes(n));
      const run = (): void => bench.kernels.quantizeI16(yPtr, xPtr, rows, n);
      return {
        run,
        check() {
          run();
          const { values, scales } = readActivations(bench, yPtr, rows, n);
          // Half a step, and 2^-8 of one because the inverse of the scale is rounded.
          assertWithin(values, x, (i) => scales[i] * (0.5 + 2 ** -8), "quantizeI16");
        },
      };
    },
  };
}

function matvecCase(type: TensorType, matrix: Matrix, home: Home): Case {
  const { rows, cols } = matrix;
  const packed = PACKED_TYPE_OF[type];
  return {
    name: `matvecI16 ${packed} ${shapeOf(matrix)}, ${home}`,
    amount: rows * cols,
    unit: "MAC",
    dramBytes: fromHome(home, packedBytes(packed, rows, cols)),
    prepare(workspace) {
      const { kernels } = workspace.bench;
      const { bench } = workspace;
      const w = placePanels(workspace, type, matrix, home);
      const x = gaussian(cols, seededRandom(2));
      const activations = quantize(bench, x, 1);
      const yPtr = bench.region(rows * 4);
      const next = cycle(w.addresses);
      const x16 = activations.ptr;
      const id = packedId(type);
      const run = (): void => kernels.matvecI16(yPtr, next(), id, x16, rows, cols);
      return {
        run,
        check() {
          run();
          checkProduct(bench.f32(yPtr, rows), w.tensor, { x, n: 1, activations });
        },
      };
    },
  };
}

function matmulCase(type: TensorType, matrix: Matrix, n: number, home: Home): Case {
  const { rows, cols } = matrix;
  const packed = PACKED_TYPE_OF[type];
  const kernel = isFloat(type) ? "matmulF32" : "matmulI16";
  return {
    name: `${kernel} ${packed} ${shapeOf(matrix)}, ${tokens(n)}, ${home}`,
    amount: n * rows * cols,
    unit: "MAC",
    dramBytes: fromHome(home, packedBytes(packed, rows, cols)),
    prepare(workspace) {
      const { bench } = workspace;
      const { kernels } = bench;
      const w = placePanels(workspace, type, matrix, home);
      const x = gaussian(n * cols, seededRandom(3));
      const activations = quantize(bench, x, n);
      const [xPtr, yPtr] = [bench.put(x), bench.region(n * rows * 4)];
      const scratchPtr = bench.region(unpackedPanelBytes(cols));
      const shapePtr = putShape(bench, { n, rows, cols });
      const id = packedId(type);
      const next = cycle(w.addresses);
      const run = isFloat(type)
        ? () => kernels.matmulF32(yPtr, next(), id, xPtr, shapePtr)
        : () => kernels.matmulI16(yPtr, next(), id, activations.ptr, shapePtr, scratchPtr);
      return {
        run,
        check() {
          run();
          checkProduct(bench.f32(yPtr, n * rows), w.tensor, { x, n, activations });
        },
      };
    },
  };
}

/** A share of `density` of the neurons is active; amount and bytes count those only. */
function sparseCase(type: TensorType, density: number, n: number): Case {
  const { rows: outputs, cols: neurons } = DOWN_PROJ;
  const packed = PACKED_TYPE_OF[type];
  const x = sparseGaussian(n * neurons, density, seededRandom(4));
  const lists = activeLists(x, n);
  const active = lists.reduce((total, list) => total + list.length, 0);
  const bytes = (packedBytes(packed, outputs, neurons) * active) / neurons;
  const kernel = isFloat(type) ? "sparseMatmulF32" : "sparseMatmulI16";
  return {
    name:
      `${kernel} ${packed} ${shapeOf(DOWN_PROJ)}, ` +
      `${density * 100} % active, ${tokens(n)}, DRAM`,
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
      const shapePtr = bench.put(Int32Array.of(neurons, outputs, 0, outputs));
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

/** The embedding of a token. */
function rowCase(type: TensorType): Case {
  const { cols } = Q_PROJ;
  return {
    name: `dequantizeRow ${PACKED_TYPE_OF[type]} ${cols}`,
    amount: cols,
    unit: "element",
    prepare(workspace) {
      const { bench } = workspace;
      const w = placePanels(workspace, type, Q_PROJ, "cache");
      const yPtr = bench.region(cols * 4);
      const scratchPtr = bench.region(unpackedPanelBytes(cols));
      const id = packedId(type);
      const decode = (row: number): void =>
        bench.kernels.dequantizeRow(yPtr, w.addresses[0], id, row, cols, scratchPtr);
      return {
        run: () => decode(13),
        check() {
          for (const row of [0, 13, w.tensor.rows - 1]) {
            decode(row);
            const [from, to] = [row * cols, (row + 1) * cols];
            const magnitudes = w.tensor.magnitudes.subarray(from, to);
            const expected = w.tensor.values.subarray(from, to);
            // A scale, its product and the minimum round once each.
            assertWithin(bench.f32(yPtr, cols), expected, (i) => 2e-7 * magnitudes[i], "row");
          }
        },
      };
    },
  };
}

/** All cases of the linear layers. */
export const LINEAR_CASES: readonly Case[] = [
  ...[quantizeCase(1, 2048), quantizeCase(1, 8192), quantizeCase(128, 2048)],
  ...[Q_PROJ, UP_PROJ].map((matrix) => matvecCase("Q8_0", matrix, "DRAM")),
  ...[Q_PROJ, UP_PROJ].map((matrix) => matvecCase("Q8_0", matrix, "cache")),
  ...(["Q4_0", "Q4_1", "Q4_K"] as const).map((type) => matvecCase(type, UP_PROJ, "DRAM")),
  ...SOURCE_TYPES.map((type) => matmulCase(type, UP_PROJ, 1, "DRAM")),
  ...SOURCE_TYPES.map((type) => matmulCase(type, Q_PROJ, 128, "cache")),
  matmulCase("F16", Q_PROJ, 1, "DRAM"),
  matmulCase("F16", Q_PROJ, 128, "cache"),
  ...[0.05, 0.1, 0.2, 0.5, 1].map((density) => sparseCase("Q8_0", density, 1)),
  ...(["Q4_K", "Q6_K", "F16"] as const).map((type) => sparseCase(type, 0.1, 1)),
  sparseCase("Q8_0", 0.1, 128),
  ...ABSORBED_CASES,
  ...(["Q8_0", "Q4_K", "Q6_K", "F16"] as const).map(rowCase),
];
