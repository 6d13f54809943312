// GGUF rows -> the slabs of layout.ts, transposed on the way, without loss.

import {
  Q4_0,
  Q8_0,
  blockBytes,
  blockSize,
  decodeBlock,
  hasMinimum,
  packedType,
  scaleOffset,
  subMinimum,
  subScale,
} from "../linear/blocks";
import { Q4, Q4K, Q4M, Q6K, hasMinimums } from "../linear/layout";
import { slabHeadBytes, slabRunBytes, slabRuns } from "../down/slab-layout";
import { packSlabQ4_0, packSlabQ8_0 } from "./slab-plain";
import { packScale } from "../linear/scales";
import { transpose16 } from "./transpose";

/**
 * Rows of a GGUF tensor [outputs, neurons] into a slab, which holds them transposed.
 *
 *   to        slab[neurons, outputs] of packedType(type): outputs first .. first + count
 *   src       `count` rows as in the file, back to back
 *   type      GGUF type id, not a float type
 *   shape     i32 neurons, i32 outputs
 *   scratch   2 * 64 * 256 + 512 bytes
 *
 * Returns 0, or bits NOT_FINITE and TOO_LARGE for scales that cannot be packed (scales.ts).
 * Requires first and count % 32 == 0 (64 for Q6_K).
 */
export function packSlab(
  to: usize,
  src: usize,
  type: i32,
  first: i32,
  count: i32,
  shape: usize,
  scratch: usize,
): i32 {
  const neurons = load<i32>(shape);
  const outputs = <usize>load<i32>(shape, 4);
  const packed = packedType(type);
  const size = blockSize(type);
  const bytes = blockBytes(type);
  const rowBytes = <usize>(neurons / size) * bytes;
  const headBytes = slabHeadBytes(packed, outputs);
  const runBytes = slabRunBytes(packed, outputs);
  let run = slabRuns(to, packed, neurons, outputs);
  const columns = scratch + 64 * 256;
  const o = <usize>first;
  const n = <usize>count;
  let bad = 0;
  for (let b: usize = 0; b < rowBytes; b += bytes, to += headBytes, run += <usize>size * runBytes) {
    const block = src + b;
    if (type == Q8_0) {
      bad |= packSlabQ8_0(to + 2 * o, run + o, block, n, runBytes, rowBytes, scratch);
      continue;
    }
    if (type == Q4_0) {
      bad |= packSlabQ4_0(to + 2 * o, run + (o >> 1), block, n, runBytes, rowBytes, scratch);
      continue;
    }
    for (let i: usize = 0; i < n; i++) {
      bad |= packSlabHeader(to, block + i * rowBytes, type, packed, o + i, outputs);
    }
    for (let i: usize = 0; i < n; i += 64) {
      const some = min<usize>(64, n - i);
      decodeColumns(columns, block + i * rowBytes, type, some, rowBytes, scratch);
      for (let j: usize = 0; j < <usize>size; j++) {
        packRun(run + j * runBytes, columns + j * 64, packed, o + i, some, outputs);
      }
    }
  }
  return bad;
}

/**
 * The integers of one block of `count` outputs: 64 bytes a neuron. scratch of 64 * 256 bytes, and
 * 256 behind the columns.
 */
function decodeColumns(
  columns: usize,
  block: usize,
  type: i32,
  count: usize,
  rowBytes: usize,
  scratch: usize,
): void {
  const size = <usize>blockSize(type);
  for (let i: usize = 0; i < count; i++) {
    decodeBlock(scratch + i * size, block + i * rowBytes, type);
  }
  for (let o: usize = 0; o < count; o += 16) {
    for (let j: usize = 0; j < size; j += 16) {
      const rows = scratch + o * size + j;
      transpose16(columns + j * 64 + o, 64, rows, size, columns + 64 * 256);
    }
  }
}

/** One output's scales and minimums, in the head of a slab's block. */
function packSlabHeader(
  to: usize,
  block: usize,
  type: i32,
  packed: i32,
  o: usize,
  n: usize,
): i32 {
  const d = block + scaleOffset(type);
  let bad = packScale(to + 2 * o, d);
  if (hasMinimum(type)) bad |= packScale(to + 2 * n + 2 * o, d + 2);
  else if (hasMinimums(packed)) store<u16>(to + 2 * n + 2 * o, 0);
  if (packed < Q4K) return bad;
  const parts = packed == Q4K ? 8 : 16;
  for (let p = 0; p < parts; p++) {
    const s = subScale(type, block, packed == Q4K ? 2 * p : p);
    if (packed == Q6K) {
      store<u8>(to + 2 * n + <usize>p * n + o, <u8>s);
      continue;
    }
    const header = to + 4 * n + <usize>p * 2 * n;
    store<u8>(header + o, <u8>s);
    store<u8>(header + n + o, <u8>subMinimum(type, block, packed == Q4K ? 2 * p : p));
  }
  return bad;
}

/** `count` outputs of a neuron; its integers lie at from. */
function packRun(
  run: usize,
  from: usize,
  packed: i32,
  first: usize,
  count: usize,
  n: usize,
): void {
  if (packed == Q6K) packSixes(run, from, first, n);
  else if (packed == Q4 || packed == Q4M || packed == Q4K) packNibbles(run, from, first, count);
  else memory.copy(run + first, from, count);
}

function packNibbles(run: usize, from: usize, first: usize, count: usize): void {
  for (let o: usize = 0; o < count; o += 32) {
    const low = v128.and(v128.load(from + o), i8x16.splat(15));
    v128.store(run + ((first + o) >> 1), v128.or(low, i8x16.shl(v128.load(from + o, 16), 4)));
  }
}

function packSixes(run: usize, from: usize, first: usize, n: usize): void {
  packNibbles(run, from, first, 64);
  let high = i8x16.splat(0);
  for (let k = 0; k < 4; k++) {
    const pair = i8x16.shr_u(v128.load(from + <usize>k * 16), 4);
    high = v128.or(high, i8x16.shl(pair, k << 1));
  }
  v128.store(run + (n >> 1) + (first >> 2), high);
}
