// Transposing 16 x 16 bytes.

import { bytesHigh, bytesLow } from "../lanes";

/**
 * to[j][i] = from[i][j]
 *
 *   to, toStride       16 rows of 16 bytes, out; bytes from one to the next
 *   from, fromStride   the same, in
 *   scratch            256 bytes
 */
export function transpose16(
  to: usize,
  toStride: usize,
  from: usize,
  fromStride: usize,
  scratch: usize,
): void {
  transpose8(scratch, from, fromStride);
  transpose8(scratch + 128, from + 8 * fromStride, fromStride);
  for (let j: usize = 0; j < 8; j++, to += 2 * toStride) {
    const top = v128.load(scratch + 16 * j);
    const low = v128.load(scratch + 16 * j, 128);
    v128.store(to, v128.shuffle<i64>(top, low, 0, 2));
    v128.store(to + toStride, v128.shuffle<i64>(top, low, 1, 3));
  }
}

/** to[j][i] = from[i][j] for 8 rows of 16, back to back: three perfect shuffles, in registers. */
// @ts-ignore: decorator
@inline
function transpose8(to: usize, from: usize, stride: usize): void {
  const half = from + 4 * stride;
  const r0 = v128.load(from);
  const r1 = v128.load(from + stride);
  const r2 = v128.load(from + 2 * stride);
  const r3 = v128.load(from + 3 * stride);
  const r4 = v128.load(half);
  const r5 = v128.load(half + stride);
  const r6 = v128.load(half + 2 * stride);
  const r7 = v128.load(half + 3 * stride);
  // Rows 4 apart
  const a0 = bytesLow(r0, r4);
  const a1 = bytesHigh(r0, r4);
  const a2 = bytesLow(r1, r5);
  const a3 = bytesHigh(r1, r5);
  const a4 = bytesLow(r2, r6);
  const a5 = bytesHigh(r2, r6);
  const a6 = bytesLow(r3, r7);
  const a7 = bytesHigh(r3, r7);
  interleave(to, a0, a2, a4, a6);
  interleave(to + 64, a1, a3, a5, a7);
}

/** The last two shuffles for half of the columns; rows 0 and 4, 1 and 5, 2 and 6, 3 and 7. */
// @ts-ignore: decorator
@inline
function interleave(to: usize, r04: v128, r15: v128, r26: v128, r37: v128): void {
  const low02 = bytesLow(r04, r26);
  const high02 = bytesHigh(r04, r26);
  const low13 = bytesLow(r15, r37);
  const high13 = bytesHigh(r15, r37);
  v128.store(to, bytesLow(low02, low13));
  v128.store(to, bytesHigh(low02, low13), 16);
  v128.store(to, bytesLow(high02, high13), 32);
  v128.store(to, bytesHigh(high02, high13), 48);
}
