/** A latent cache of any type in a test's memory, and attention over it by kernel. */

import type { Kernels } from "../../../src/kernels/kernels.js";
import { attendLatentScratchBytes } from "../../../src/kernels/packed.js";
import type { LatentQuery } from "../../support/reference.js";
import type { Bench } from "./wasm.js";

export type RowType = "F32" | "F16" | "I16" | "Q8_0";
export const ROW_TYPES: RowType[] = ["F32", "F16", "I16", "Q8_0"];

/** Bytes of a row. */
export function rowBytes(type: RowType, dims: number): number {
  return { F32: 4 * dims, F16: 2 * dims, I16: 16 + 2 * dims, Q8_0: (34 * dims) / 32 }[type];
}

/** `n` normal values without outliers. */
export function normal(n: number, random: () => number, scale = 1): Float32Array {
  return Float32Array.from(
    { length: n },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) * scale,
  );
}

/**
 * Stores `rows` f32[positions, dims] as rows of `type` and attends to them. Returns the kernel's
 * output [heads, latentDim] and `cached`, the rows as the cache holds them.
 */
export function attendLatent(
  bench: Bench,
  type: RowType,
  query: LatentQuery,
  rows: Float32Array,
  offset = 0,
): { actual: Float32Array; cached: Float32Array } {
  const kernels: Kernels = bench.kernels;
  const { heads, latentDim, ropeDim } = query;
  const dims = latentDim + ropeDim;
  const positions = rows.length / dims;
  const bytes = rowBytes(type, dims);
  bench.reset();
  const sourcePtr = bench.region(dims * 4, offset);
  const cachePtr = bench.region(positions * bytes, type === "F32" ? offset : offset / 2);
  const cached = new Float32Array(rows.length);
  for (let t = 0; t < positions; t++) {
    const row = rows.subarray(t * dims, (t + 1) * dims);
    bench.u8(sourcePtr, dims * 4).set(new Uint8Array(row.buffer, row.byteOffset, dims * 4));
    const rowPtr = cachePtr + t * bytes;
    const kPePtr = sourcePtr + latentDim * 4;
    kernels[`storeLatent${type}`](rowPtr, sourcePtr, latentDim, kPePtr, ropeDim);
    kernels[`loadLatent${type}`](sourcePtr, kPePtr, rowPtr, 1, latentDim, ropeDim);
    cached.set(bench.f32(sourcePtr, dims), t * dims);
  }
  const shape = new Uint8Array(28);
  const view = new DataView(shape.buffer);
  [heads, latentDim, ropeDim].forEach((value, i) => {
    view.setInt32(4 * i, value, true);
  });
  view.setFloat32(12, query.scale, true);
  view.setInt32(16, bytes, true);
  const pages = Uint32Array.from(
    { length: Math.ceil(positions / 64) },
    (_, i) => cachePtr + i * 64 * bytes,
  );
  const pagesPtr = bench.put(pages);
  const scratchBytes = attendLatentScratchBytes(heads, latentDim, ropeDim);
  const scratchPtr = bench.region(scratchBytes, offset);
  bench.u8(scratchPtr, scratchBytes).fill(0xff);
  const outPtr = bench.region(heads * latentDim * 4, offset);
  bench.u8(outPtr, heads * latentDim * 4).fill(0xff);
  const [qPtr, shapePtr] = [bench.put(query.q, offset), bench.put(shape, offset)];
  kernels[`attendLatent${type}`](outPtr, qPtr, pagesPtr, positions, shapePtr, scratchPtr);
  bench.checkGuards();
  return { actual: bench.f32(outPtr, heads * latentDim), cached };
}
