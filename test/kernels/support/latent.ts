/** A latent cache of any type in a test's memory, and attention over it by kernel. */

import type { Kernels } from "../../../src/kernels/kernels.js";
import { attendLatentScratchBytes, PAGE_ROWS } from "../../../src/kernels/packed.js";
import { LatentShape } from "../../../src/kernels/structs.js";
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

/** Where rows lie. */
export interface Placement {
  /** Bytes past 16-byte alignment, a multiple of 4. */
  readonly offset?: number;
  /** Bytes of others before and after each row. */
  readonly before?: number;
  readonly after?: number;
  /** Pages one after another; default: apart, in another order. */
  readonly isContiguous?: boolean;
}

/** Addresses of pages of PAGE_ROWS rows, the last of them cut short, filled with 0xff. */
function pageRegions(
  bench: Bench,
  positions: number,
  stride: number,
  offset: number,
  isContiguous: boolean,
): Uint32Array {
  const pages = new Uint32Array(Math.ceil(positions / PAGE_ROWS));
  const region = (rows: number): number => {
    const ptr = bench.region(rows * stride, offset);
    bench.u8(ptr, rows * stride).fill(0xff);
    return ptr;
  };
  if (isContiguous) {
    const ptr = region(positions);
    return pages.map((_, i) => ptr + i * PAGE_ROWS * stride);
  }
  // Odd pages before even ones, later before earlier.
  const order = [...pages.keys()].sort((a, b) => (b & 1) - (a & 1) || b - a);
  for (const i of order) pages[i] = region(Math.min(PAGE_ROWS, positions - i * PAGE_ROWS));
  return pages;
}

/**
 * Stores `rows` f32[positions, dims] as rows of `type` in pages and attends to them. Returns the
 * kernel's output [heads, latentDim], `cached`, what the cache holds of the rows, and `states`, the
 * bytes of the softmax states, which scores alone decide.
 */
export function attendLatent(
  bench: Bench,
  type: RowType,
  query: LatentQuery,
  rows: Float32Array,
  { offset = 0, before = 0, after = 0, isContiguous = false }: Placement = {},
): { actual: Float32Array; cached: Float32Array; states: Uint8Array } {
  const kernels: Kernels = bench.kernels;
  const { heads, latentDim, ropeDim, scale, unscored = 0 } = query;
  const dims = latentDim + ropeDim;
  const positions = rows.length / dims;
  const stride = before + rowBytes(type, dims) + after;
  bench.reset();
  const sourcePtr = bench.region(dims * 4, offset);
  const rowOffset = type === "F32" ? offset : offset / 2;
  const pages = pageRegions(bench, positions, stride, rowOffset, isContiguous);
  const cached = new Float32Array(rows.length);
  for (let t = 0; t < positions; t++) {
    const row = rows.subarray(t * dims, (t + 1) * dims);
    bench.u8(sourcePtr, dims * 4).set(new Uint8Array(row.buffer, row.byteOffset, dims * 4));
    const rowPtr = pages[Math.floor(t / PAGE_ROWS)] + (t % PAGE_ROWS) * stride + before;
    const kPePtr = sourcePtr + latentDim * 4;
    kernels[`storeLatent${type}`](rowPtr, sourcePtr, latentDim, kPePtr, ropeDim);
    kernels[`loadLatent${type}`](sourcePtr, kPePtr, rowPtr, 1, latentDim, ropeDim);
    cached.set(bench.f32(sourcePtr, dims), t * dims);
  }
  const shape = new LatentShape(bench.memory, bench.region(LatentShape.BYTES, offset));
  shape.write({ heads, latentDim, ropeDim, scale, stride, offset: before, unscored });
  const scratchBytes = attendLatentScratchBytes(heads, latentDim, ropeDim);
  const scratchPtr = bench.region(scratchBytes, offset);
  bench.u8(scratchPtr, scratchBytes).fill(0xff);
  const outPtr = bench.region(heads * latentDim * 4, offset);
  bench.u8(outPtr, heads * latentDim * 4).fill(0xff);
  const [qPtr, pagesPtr] = [bench.put(query.q, offset), bench.put(pages, offset)];
  kernels[`attendLatent${type}`](outPtr, qPtr, pagesPtr, positions, shape.ptr, scratchPtr);
  bench.checkGuards();
  // Behind score rows or groups of scores, as assembly/attention has them.
  const groups = Math.ceil(heads / 4);
  const [skipped, bytes] =
    type === "F32" ? [heads * 144, heads * 16] : [groups * 1056, groups * 64];
  const states = bench.u8(scratchPtr + skipped, bytes).slice();
  return { actual: bench.f32(outPtr, heads * latentDim), cached, states };
}
