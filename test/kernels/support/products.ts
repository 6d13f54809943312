/** Dense products of packed tensors and activations in any form, in a test's memory. */
import * as assert from "uvu/assert";
import { packedBytes, unpackedPanelBytes } from "../../../src/kernels/packed.js";
import type { RoundedForm } from "../../../src/model/linear.js";
import { PACKED_TYPE_OF } from "../../../src/model/weights.js";
import { activationsAs } from "./activations.js";
import { type Activations, packedId, packPanels, putShape } from "./packing.js";
import type { Tensor } from "./tensors.js";
import type { Bench } from "./wasm.js";

/** A product and its operands. */
export interface Result {
  readonly y: Float32Array;
  readonly activations: Activations;
}

/** Which rows of the tensor, their offset in memory, and the distance of tokens' outputs. */
export interface ProductOptions {
  readonly offset?: number;
  readonly rows?: readonly [first: number, end: number];
  readonly stride?: number;
  /** The kernel for one token. */
  readonly isMatvec?: boolean;
}

/** Y = X W^T, f32[n, rows], by the kernel for this form; fails on writes between the rows. */
export function multiplyAs(
  bench: Bench,
  form: RoundedForm,
  tensor: Tensor,
  x: Float32Array,
  options: ProductOptions = {},
): Result {
  bench.reset();
  const { type, cols } = tensor;
  const { offset = 0, rows: [first, end] = [0, tensor.rows], isMatvec = false } = options;
  const rows = end - first;
  const { stride = rows } = options;
  const n = x.length / cols;
  const w = packPanels(bench, tensor, offset).ptr + packedBytes(PACKED_TYPE_OF[type], first, cols);
  const activations = activationsAs(bench, form, x, n, offset);
  const yBytes = ((n - 1) * stride + rows) * 4;
  const yPtr = bench.region(yBytes, offset);
  bench.u8(yPtr, yBytes).fill(0xa5);
  const planes = typeof form === "number" ? form : undefined;
  const shape = putShape(bench, { n, rows, cols, stride, planes });
  const scratch = bench.region(unpackedPanelBytes(cols), offset);
  const id = packedId(type);
  const { kernels } = bench;
  if (form === "S8X2") bench.relaxed.matvecS8X2(yPtr, w, id, activations.ptr, rows, cols);
  else if (isMatvec) kernels.matvecI16(yPtr, w, id, activations.ptr, rows, cols);
  else if (form === "I16") kernels.matmulI16(yPtr, w, id, activations.ptr, shape, scratch);
  else kernels.matmulPlanes(yPtr, w, id, activations.ptr, shape, scratch);
  bench.checkGuards();
  const spaced = bench.f32(yPtr, (n - 1) * stride + rows);
  const y = new Float32Array(n * rows);
  for (let t = 0; t < n; t++) y.set(spaced.subarray(t * stride, t * stride + rows), t * rows);
  const bytes = bench.u8(yPtr, yBytes);
  bytes.forEach((byte, i) => {
    if (i % (4 * stride) >= 4 * rows) assert.is(byte, 0xa5, `write between rows, byte ${i}`);
  });
  return { y, activations };
}
