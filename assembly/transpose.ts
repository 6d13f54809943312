// Transposing 16 x 16 bytes.

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
  const a0 = lows(r0, r4);
  const a1 = highs(r0, r4);
  const a2 = lows(r1, r5);
  const a3 = highs(r1, r5);
  const a4 = lows(r2, r6);
  const a5 = highs(r2, r6);
  const a6 = lows(r3, r7);
  const a7 = highs(r3, r7);
  interleave(to, a0, a2, a4, a6);
  interleave(to + 64, a1, a3, a5, a7);
}

/** The last two shuffles for half of the columns; rows 0 and 4, 1 and 5, 2 and 6, 3 and 7. */
// @ts-ignore: decorator
@inline
function interleave(to: usize, r04: v128, r15: v128, r26: v128, r37: v128): void {
  const low02 = lows(r04, r26);
  const high02 = highs(r04, r26);
  const low13 = lows(r15, r37);
  const high13 = highs(r15, r37);
  v128.store(to, lows(low02, low13));
  v128.store(to, highs(low02, low13), 16);
  v128.store(to, lows(high02, high13), 32);
  v128.store(to, highs(high02, high13), 48);
}

// @ts-ignore: decorator
@inline
function lows(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function highs(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
