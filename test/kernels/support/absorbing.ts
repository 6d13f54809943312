/** Absorbed keys in a test's memory, and the product with them in any form. */
import {
  absorbedBytes,
  absorbScratchBytes,
  unpackedPanelBytes,
} from "../../../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../../../src/model/weights.js";
import { isFloat, packedId, packPanels } from "./packing.js";
import type { Tensor } from "./tensors.js";
import type { Bench } from "./wasm.js";

/** Address of the tensor's absorbed keys; not for float types. */
export function packAbsorbed(bench: Bench, tensor: Tensor, offset = 0): number {
  const { type, rows, cols } = tensor;
  const panels = packPanels(bench, tensor, offset);
  const bytes = absorbedBytes(PACKED_TYPE_OF[type], rows, cols);
  const keysPtr = bench.region(bytes, offset);
  // Memory holds NaN before.
  bench.u8(keysPtr, bytes).fill(0xff);
  const scratchPtr = bench.region(unpackedPanelBytes(cols));
  bench.kernels.packAbsorbed(keysPtr, panels.ptr, packedId(type), rows, cols, scratchPtr);
  return keysPtr;
}

/** y = W^T x; float types have one kernel for every form. */
export function absorbAs(
  bench: Bench,
  form: "I16" | "S8X2",
  tensor: Tensor,
  x: Float32Array,
  offset = 0,
): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const id = packedId(type);
  const w = isFloat(type) ? packPanels(bench, tensor, offset).ptr : packAbsorbed(bench, tensor);
  const yPtr = bench.region(cols * 4, offset);
  const xPtr = bench.put(x, offset);
  const scratchBytes = isFloat(type) ? 0 : absorbScratchBytes(rows, cols);
  const scratchPtr = bench.region(scratchBytes, offset);
  bench.u8(scratchPtr, scratchBytes).fill(0xff);
  if (isFloat(type)) bench.kernels.absorbF32(yPtr, w, id, xPtr, rows, cols);
  else {
    const absorb = form === "I16" ? bench.kernels.absorbI16 : bench.relaxed.absorbS8X2;
    absorb(yPtr, w, id, xPtr, rows, cols, scratchPtr);
  }
  bench.checkGuards();
  return bench.f32(yPtr, cols);
}
