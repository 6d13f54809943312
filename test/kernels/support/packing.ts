/** Operands of the linear kernels in a test's memory: packed tensors and quantised activations. */
import * as assert from "uvu/assert";
import { TENSOR_TYPES, type TensorType } from "../../../src/format/dtypes.js";
import {
  i16RowBytes,
  isFloatType,
  PACK_SCRATCH_BYTES,
  PACKED_TYPES,
  packedBytes,
  SLAB_ROWS,
} from "../../../src/kernels/packed.js";
import {
  type ProductFields,
  ProductShape,
  type SlabFields,
  SlabShape,
} from "../../../src/kernels/structs.js";
import { PACKED_TYPE_OF } from "../../../src/model/weights.js";
import type { Tensor } from "./tensors.js";
import type { Bench } from "./wasm.js";

/** A packed tensor's address and what the pack kernels returned: 1 for something not finite. */
export interface Packed {
  readonly ptr: number;
  readonly bad: number;
}

/** Id of the packed type that holds a GGUF type. */
export function packedId(type: TensorType): number {
  return PACKED_TYPES[PACKED_TYPE_OF[type]].id;
}

/** Whether a GGUF type's products are float products. */
export function isFloat(type: TensorType): boolean {
  return isFloatType(PACKED_TYPE_OF[type]);
}

/** The tensor as panels; unchanged for float types. */
export function packPanels(bench: Bench, tensor: Tensor, offset = 0): Packed {
  const { type, rows, cols, bytes } = tensor;
  const { id } = TENSOR_TYPES[type];
  const ptr = bench.region(packedBytes(PACKED_TYPE_OF[type], rows, cols), offset);
  const srcPtr = bench.put(bytes, type === "F32" ? 4 : 2);
  if (isFloat(type)) return { ptr, bad: bench.kernels.packFloats(ptr, srcPtr, id, rows * cols) };
  const scratchPtr = bench.region(PACK_SCRATCH_BYTES);
  return { ptr, bad: bench.kernels.packPanels(ptr, srcPtr, id, rows, cols, scratchPtr) };
}

/** The tensor [outputs, neurons] as a slab, packed `step` outputs at a time. */
export function packSlab(bench: Bench, tensor: Tensor, step: number = SLAB_ROWS): Packed {
  const { type, rows, cols, bytes } = tensor;
  const { id } = TENSOR_TYPES[type];
  const ptr = bench.region(packedBytes(PACKED_TYPE_OF[type], rows, cols));
  const shapePtr = putSlabShape(bench, { neurons: cols, outputs: rows });
  const srcPtr = bench.region((bytes.length / rows) * step, 2);
  const scratchPtr = bench.region(PACK_SCRATCH_BYTES);
  let bad = 0;
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const rowBytes = bytes.length / rows;
    const chunk = bytes.subarray(first * rowBytes, (first + count) * rowBytes);
    bench.u8(srcPtr, chunk.length).set(chunk);
    bad |= isFloat(type)
      ? bench.kernels.packFloatSlab(ptr, srcPtr, id, first, count, shapePtr)
      : bench.kernels.packSlab(ptr, srcPtr, id, first, count, shapePtr, scratchPtr);
  }
  return { ptr, bad };
}

/** A product's shape; by default outputs lie one after another, and activations in no planes. */
export type Shape = Pick<ProductFields, "n" | "rows" | "cols"> & Partial<ProductFields>;

/** Address of a new ProductShape, 4 bytes past 16-byte alignment. */
export function putShape(
  bench: Bench,
  { n, rows, cols, stride = rows, planes = 0 }: Shape,
): number {
  const shape = new ProductShape(bench.memory, bench.region(ProductShape.BYTES, 4));
  shape.write({ n, rows, cols, stride, planes });
  return shape.ptr;
}

/** Address of a new SlabShape, 4 bytes past 16-byte alignment; by default of all outputs. */
export function putSlabShape(
  bench: Bench,
  {
    neurons,
    outputs,
    first = 0,
    end = outputs,
  }: Pick<SlabFields, "neurons" | "outputs"> & Partial<SlabFields>,
): number {
  const shape = new SlabShape(bench.memory, bench.region(SlabShape.BYTES, 4));
  shape.write({ neurons, outputs, first, end });
  return shape.ptr;
}

/** Rows as quantizeI16 wrote them. */
export interface Activations {
  readonly ptr: number;
  /** The rounded values that the rows represent. */
  readonly values: Float64Array;
  /** Each value's scale. */
  readonly scales: Float64Array;
}

/** x [n, cols] quantised by the kernel. */
export function quantize(bench: Bench, x: Float32Array, n: number, offset = 0): Activations {
  const cols = x.length / n;
  const ptr = bench.region(n * i16RowBytes(cols), offset);
  bench.kernels.quantizeI16(ptr, bench.put(x, offset), n, cols);
  return readActivations(bench, ptr, n, cols);
}

/** The values of rows of quantizeI16. */
export function readActivations(bench: Bench, ptr: number, n: number, cols: number): Activations {
  const values = new Float64Array(n * cols);
  const scales = new Float64Array(n * cols);
  for (let t = 0; t < n; t++) {
    const rowPtr = ptr + t * i16RowBytes(cols);
    const integers = bench.i16(rowPtr, cols);
    const blockScales = bench.f32(rowPtr + 2 * cols, cols / 32);
    for (let i = 0; i < cols; i++) {
      scales[t * cols + i] = blockScales[i >> 5];
      values[t * cols + i] = integers[i] * blockScales[i >> 5];
    }
  }
  return { ptr, values, scales };
}

/** Rows of activations in the form of quantizeI16, from integers and a scale for each block. */
export function putActivations(bench: Bench, integers: Int16Array, scales: Float32Array): number {
  const n = integers.length;
  assert.is(scales.length, n / 32);
  const row = new DataView(new ArrayBuffer(i16RowBytes(n)));
  integers.forEach((value, i) => {
    row.setInt16(2 * i, value, true);
  });
  scales.forEach((scale, b) => {
    row.setFloat32(2 * n + 4 * b, scale, true);
  });
  for (let i = 0; i < n; i += 16) {
    const sum = integers.subarray(i, i + 16).reduce((total, value) => total + value, 0);
    row.setInt32(2 * n + n / 8 + i / 4, sum, true);
  }
  return bench.put(row);
}

/** Each token's neurons with a nonzero activation in x [n, neurons]. */
export function activeLists(x: Float32Array, n: number): number[][] {
  const neurons = x.length / n;
  return Array.from({ length: n }, (_, t) => {
    const row = x.subarray(t * neurons, (t + 1) * neurons);
    return Array.from(row.keys()).filter((i) => row[i] !== 0);
  });
}

/** Address of the lists as the kernels read them; entries past a list's end are not neurons. */
export function putActive(bench: Bench, lists: number[][], neurons: number, offset = 0): number {
  const n = lists.length;
  const active = new Uint32Array(n + n * neurons).fill(0xffffffff);
  lists.forEach((list, t) => {
    active[t] = list.length;
    active.set(list, n + t * neurons);
  });
  return bench.put(active, offset);
}
