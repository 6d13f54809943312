/** Cases of packing: a file's rows into panels and slabs. Their rate is in bytes of the file. */
import * as assert from "uvu/assert";
import { TENSOR_TYPES, type TensorType } from "../src/format/dtypes.js";
import {
  PACK_SCRATCH_BYTES,
  packedBytes,
  SLAB_ROWS,
  sparseScratchBytes,
  unpackedPanelBytes,
} from "../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import { assertProduct, assertWithin } from "../test/kernels/support/linear-reference.js";
import {
  activeLists,
  isFloat,
  packedId,
  putActive,
  putSlabShape,
  quantize,
} from "../test/kernels/support/packing.js";
import { sparseGaussian } from "../test/kernels/support/tensors.js";
import type { Bench } from "../test/kernels/support/wasm.js";
import { seededRandom } from "../test/support/random.js";
import { DOWN_PROJ, distinctRows, repeatRows, UP_PROJ } from "./weights.js";
import type { Case } from "./workspace.js";

/** About the number of rows of up_proj that the loader packs at a time. */
const PANEL_ROWS = 1984;

function panelsCase(type: TensorType): Case {
  const { cols } = UP_PROJ;
  const { id } = TENSOR_TYPES[type];
  const { blockBytes, blockSize } = TENSOR_TYPES[type];
  const kernel = isFloat(type) ? "packFloats" : "packPanels";
  return {
    name: `${kernel} ${type} ${PANEL_ROWS}x${cols}`,
    amount: ((PANEL_ROWS * cols) / blockSize) * blockBytes,
    unit: "B",
    prepare({ bench }) {
      const tensor = distinctRows(type, cols);
      const { rows, bytes } = repeatRows(tensor, PANEL_ROWS);
      const srcPtr = bench.put(bytes);
      const toPtr = bench.region(packedBytes(PACKED_TYPE_OF[type], rows, cols));
      const scratchPtr = bench.region(PACK_SCRATCH_BYTES);
      const { packFloats, packPanels } = bench.kernels;
      const run = isFloat(type)
        ? () => packFloats(toPtr, srcPtr, id, rows * cols)
        : () => packPanels(toPtr, srcPtr, id, rows, cols, scratchPtr);
      return {
        run,
        check() {
          assert.is(run(), 0, "no weight that is not finite");
          const [yPtr, unpackPtr] = [
            bench.region(cols * 4),
            bench.region(unpackedPanelBytes(cols)),
          ];
          for (let row = 0; row < rows; row++) {
            const { dequantizeRow } = bench.kernels;
            dequantizeRow(yPtr, toPtr, packedId(type), row, cols, unpackPtr);
            const from = (row % tensor.rows) * cols;
            const magnitudes = tensor.magnitudes.subarray(from, from + cols);
            const expected = tensor.values.subarray(from, from + cols);
            assertWithin(
              bench.f32(yPtr, cols),
              expected,
              (i) => 2e-7 * magnitudes[i],
              `row ${row}`,
            );
          }
        },
      };
    },
  };
}

/** SLAB_ROWS outputs of down_proj into their columns of the whole slab; the loader takes more. */
function slabCase(type: TensorType): Case {
  const { rows: outputs, cols: neurons } = DOWN_PROJ;
  const { id, blockBytes, blockSize } = TENSOR_TYPES[type];
  const bytes = ((SLAB_ROWS * neurons) / blockSize) * blockBytes;
  const kernel = isFloat(type) ? "packFloatSlab" : "packSlab";
  return {
    name: `${kernel} ${type} ${SLAB_ROWS} of ${outputs} outputs, ${neurons} neurons`,
    amount: bytes,
    unit: "B",
    prepare({ bench }) {
      const tensor = distinctRows(type, neurons);
      const srcPtr = bench.put(tensor.bytes.subarray(0, bytes));
      const toPtr = bench.region(packedBytes(PACKED_TYPE_OF[type], outputs, neurons));
      const shapePtr = putSlabShape(bench, { neurons, outputs });
      const scratchPtr = bench.region(PACK_SCRATCH_BYTES);
      const { packFloatSlab, packSlab } = bench.kernels;
      const pack = isFloat(type)
        ? (first: number) => packFloatSlab(toPtr, srcPtr, id, first, SLAB_ROWS, shapePtr)
        : (first: number) => packSlab(toPtr, srcPtr, id, first, SLAB_ROWS, shapePtr, scratchPtr);
      let first = 0;
      return {
        run() {
          pack(first);
          first = (first + SLAB_ROWS) % outputs;
        },
        check() {
          for (let o = 0; o < outputs; o += SLAB_ROWS) assert.is(pack(o), 0);
          checkSlab(bench, type, toPtr, shapePtr);
        },
      };
    },
  };
}

/** Multiplies with a slab that repeats the same SLAB_ROWS rows as outputs. */
function checkSlab(bench: Bench, type: TensorType, slabPtr: number, shapePtr: number): void {
  const { rows: outputs, cols: neurons } = DOWN_PROJ;
  const x = sparseGaussian(neurons, 0.1, seededRandom(16));
  const activePtr = putActive(bench, activeLists(x, 1), neurons);
  const activations = quantize(bench, x, 1);
  const [xPtr, yPtr] = [bench.put(x), bench.region(outputs * 4)];
  const scratchPtr = bench.region(sparseScratchBytes(1, outputs));
  const { sparseMatmulF32, sparseMatmulI16 } = bench.kernels;
  const id = packedId(type);
  const { ptr } = activations;
  if (isFloat(type)) sparseMatmulF32(yPtr, slabPtr, id, xPtr, activePtr, 1, shapePtr);
  else sparseMatmulI16(yPtr, slabPtr, id, ptr, activePtr, 1, shapePtr, scratchPtr);
  const tensor = distinctRows(type, neurons);
  const rows = { ...tensor, rows: SLAB_ROWS };
  const exact = { ptr, values: Float64Array.from(x), scales: new Float64Array(neurons) };
  for (let o = 0; o < outputs; o += SLAB_ROWS) {
    const y = bench.f32(yPtr + o * 4, SLAB_ROWS);
    const operands = { tensor: rows, x, activations: isFloat(type) ? exact : activations };
    assertProduct(y, operands, `outputs from ${o}`);
  }
}

/** All cases of packing. */
export const PACKING_CASES: readonly Case[] = [
  ...(["Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K", "F16"] as const).map(panelsCase),
  ...(["Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K", "F16"] as const).map(slabCase),
];
