// GGUF rows -> the slabs of layout.ts, transposed on the way, without loss.

import {
  blockBytes,
  blockSize,
  decodeBlock,
  hasMinimum,
  packScale,
  packedType,
  scaleOffset,
  subMinimum,
  subScale,
} from "./blocks";
import { Q4, Q4K, Q4M, Q6K, hasMinimums } from "./layout";
import { slabHeadBytes, slabRunBytes, slabRuns } from "./slab-layout";

/**
 * Rows of a GGUF tensor [outputs, neurons] into a slab, which holds them transposed.
 *
 *   to        slab[neurons, outputs] of packedType(type): outputs first .. first + count
 *   src       `count` rows as in the file, back to back
 *   type      GGUF type id, not a float type
 *   shape     i32 neurons, i32 outputs
 *   scratch   2 * 64 * 256 + 512 bytes
 *
 * Returns 0, or bits NOT_FINITE and TOO_LARGE for scales that cannot be packed (blocks.ts).
 * Requires first and count % 32 == 0 (64 for Q6_K), count <= 64.
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
  let bad = 0;
  for (let b: usize = 0; b < rowBytes; b += bytes, to += headBytes) {
    for (let i: usize = 0; i < <usize>count; i++) {
      const block = src + i * rowBytes + b;
      decodeBlock(scratch + i * <usize>size, block, type);
      bad |= packSlabHeader(to, block, type, packed, <usize>first + i, outputs);
    }
    for (let o: usize = 0; o < <usize>count; o += 16) {
      for (let j: usize = 0; j < <usize>size; j += 16) {
        const rows = scratch + o * <usize>size + j;
        transpose16(columns + j * 64 + o, rows, <usize>size, columns + 64 * 256);
      }
    }
    for (let j: usize = 0; j < <usize>size; j++, run += runBytes) {
      packRun(run, columns + j * 64, packed, <usize>first, <usize>count, outputs);
    }
  }
  return bad;
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

/** to[j][i] = from[i][j], 16 x 16 bytes; rows of from `stride` bytes apart, of to 64. */
function transpose16(to: usize, from: usize, stride: usize, scratch: usize): void {
  // Four perfect shuffles of rows i and i + 8 transpose; they alternate between two buffers.
  for (let i: usize = 0; i < 8; i++) {
    const row = from + i * stride;
    interleave(scratch + (i << 5), v128.load(row), v128.load(row + 8 * stride));
  }
  const other = scratch + 256;
  for (let i: usize = 0; i < 8; i++) interleaveRows(other, scratch, i);
  for (let i: usize = 0; i < 8; i++) interleaveRows(scratch, other, i);
  for (let i: usize = 0; i < 8; i++) interleaveRows(other, scratch, i);
  for (let j: usize = 0; j < 16; j++) v128.store(to + (j << 6), v128.load(other + (j << 4)));
}

// @ts-ignore: decorator
@inline
function interleaveRows(to: usize, from: usize, i: usize): void {
  interleave(to + (i << 5), v128.load(from + (i << 4)), v128.load(from + (i << 4), 128));
}

// @ts-ignore: decorator
@inline
function interleave(to: usize, a: v128, b: v128): void {
  v128.store(to, v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  v128.store(
    to,
    v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
    16,
  );
}
