// Activations of several tokens for the relaxed dot: 8-bit planes, four streams side by side, so
// that a product reads one stream of them from front to back.
//
//   planes   a value is             a tile's tokens, its streams          scale is max |x| over
//   1        s8                     4; t0, t1, t2, t3                     116 to 127, see nearest
//   2        256 s8 + s8            2; t0 high, t0 low, t1 high, t1 low   32639
//
// A tile has a record for every 32 inputs:
//
//   planes 1, 192 bytes    f32 scale[4] | i32 start[4] | i32 sum[2][4] | s8[8][4 streams][4 inputs]
//   planes 2, 160 bytes    f32 scale[2] | i32 start[2] | i32 sum[2][2] | the same
//
// where a sum is that of 16 integers, and start what all 32 add to dots with cells that are 128
// more (reading.ts). Tokens that pad a tile are zero.

import { maxF32x4, roundToI16 } from "../lanes";
import { avoid128, factorFor, highBytes, largestOf32, lowBytes, sumOf16 } from "./quantize";
import { cellBias } from "../reading";

/** Bytes of a record; its last 128 are the values. */
// @ts-ignore: decorator
@inline
export function recordBytes(planes: i32): usize {
  return planes == 1 ? 192 : 160;
}

/** Where a record's starts lie. */
// @ts-ignore: decorator
@inline
export function startOffset(planes: i32): usize {
  return planes == 1 ? 16 : 8;
}

/** Bytes of the tile of n inputs. */
// @ts-ignore: decorator
@inline
export function tileBytes(planes: i32, n: i32): usize {
  return <usize>(n >> 5) * recordBytes(planes);
}

/**
 * x in tiles, blocks of 32 with one scale, rounded to the nearest, ties to even.
 *
 *   y   tiles of all rows   out
 *   x   f32[rows, n]
 *
 * Requires n % 32 == 0, planes 1 or 2, y apart from x. Zeros, tiny numbers, NaN and infinity are as
 * in quantizeI16.
 */
export function quantizePlanes(y: usize, x: usize, rows: i32, n: i32, planes: i32): void {
  if (planes == 1) quantizeTiles(y, x, rows, n, 1);
  else quantizeTiles(y, x, rows, n, 2);
}

// @ts-ignore: decorator
@inline
function quantizeTiles(y: usize, x: usize, rows: i32, n: i32, planes: i32): void {
  const tokens = planes == 1 ? 4 : 2;
  for (; rows > 0; rows -= tokens, y += tileBytes(planes, n)) {
    if (rows < tokens) memory.fill(y, 0, tileBytes(planes, n));
    const count = min(rows, tokens);
    for (let t = 0; t < count; t++) {
      const word = <usize>t << 2;
      let to = y;
      for (let i = 0; i < n; i += 32, x += 128, to += recordBytes(planes)) {
        const largest = largestOf32(x);
        const most: f32 = planes == 1 ? nearest(x, largest) : 32639;
        const factor = factorFor(largest, most);
        store<f32>(to + word, largest / most);
        let total = 0;
        for (let half: usize = 0; half < 2; half++) {
          const xh = x + half * 64;
          let first = roundToI16(v128.load(xh), v128.load(xh, 16), factor);
          let second = roundToI16(v128.load(xh, 32), v128.load(xh, 48), factor);
          if (planes == 2) {
            first = avoid128(first);
            second = avoid128(second);
          }
          const sums = planes == 1 ? to + 32 + half * 16 : to + 16 + half * 8;
          const sum = sumOf16(first, second);
          store<i32>(sums + word, sum);
          total += sum;
          const values = to + recordBytes(planes) - 128 + half * 64;
          const low = lowBytes(first, second);
          if (planes == 1) {
            storeWords(values + word, low);
            continue;
          }
          storeWords(values + 2 * word, highBytes(first, second));
          storeWords(values + 2 * word + 4, low);
        }
        store<i32>(to + startOffset(planes) + word, total * cellBias());
      }
    }
  }
}

/**
 * The integer for the largest of 32 values, 127 or one of 11 below it: the one that leaves the
 * least squared error, on average 0.8 of what 127 leaves. 127 for zeros, NaN and infinity.
 */
export function nearest(x: usize, largest: f32): f32 {
  const candidates0 = f32x4(127, 126, 125, 124);
  const candidates1 = f32x4(123, 122, 121, 120);
  const candidates2 = f32x4(119, 118, 117, 116);
  const factor0 = f32x4.div(candidates0, f32x4.splat(largest));
  const factor1 = f32x4.div(candidates1, f32x4.splat(largest));
  const factor2 = f32x4.div(candidates2, f32x4.splat(largest));
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  for (const end = x + 128; x < end; x += 4) {
    const value = v128.load32_splat(x);
    sum0 = addError(sum0, f32x4.mul(value, factor0));
    sum1 = addError(sum1, f32x4.mul(value, factor1));
    sum2 = addError(sum2, f32x4.mul(value, factor2));
  }
  let best = candidates0;
  let least = f32x4.div(sum0, f32x4.mul(candidates0, candidates0));
  const errors1 = f32x4.div(sum1, f32x4.mul(candidates1, candidates1));
  best = v128.bitselect(candidates1, best, f32x4.lt(errors1, least));
  least = f32x4.pmin(least, errors1);
  const errors2 = f32x4.div(sum2, f32x4.mul(candidates2, candidates2));
  best = v128.bitselect(candidates2, best, f32x4.lt(errors2, least));
  least = f32x4.pmin(least, errors2);
  const isLeast = f32x4.le(least, f32x4.splat(-maxF32x4(f32x4.neg(least))));
  const most = maxF32x4(v128.and(best, isLeast));
  return most == 0 ? 127 : most;
}

/** sum + (x - x rounded)^2 */
// @ts-ignore: decorator
@inline
function addError(sum: v128, x: v128): v128 {
  const error = f32x4.sub(x, f32x4.nearest(x));
  return f32x4.add(sum, f32x4.mul(error, error));
}

/** Four words, 16 bytes apart. */
// @ts-ignore: decorator
@inline
function storeWords(to: usize, words: v128): void {
  v128.store32_lane(to, words, 0);
  v128.store32_lane(to, words, 1, 16);
  v128.store32_lane(to, words, 2, 32);
  v128.store32_lane(to, words, 3, 48);
}
