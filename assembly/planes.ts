// Activations of several tokens for the relaxed dot: 8-bit planes, four streams side by side, so
// that a product reads one stream of them from front to back.
//
//   planes   a value is             a tile's tokens, its streams          scale is max |x| over
//   1        s8                     4; t0, t1, t2, t3                     127
//   2        256 s8 + s8            2; t0 high, t0 low, t1 high, t1 low   32639
//
// A tile has a record for every 32 inputs:
//
//   planes 1, 192 bytes    f32 scale[4]                | i32 sum[2][4] | s8[8][4 streams][4 inputs]
//   planes 2, 160 bytes    f32 scale[2], 8 bytes zero  | i32 sum[2][2] | the same
//
// where planes 1 has 16 unused bytes after its scales; a sum is that of 16 integers. Tokens that
// fill a tile up are zero.

import { roundToI16 } from "./lanes";
import { factorFor, highBytes, largestOf32, lowBytes, sumOf16 } from "./quantize";

/** Bytes of a record; its last 128 are the values. */
// @ts-ignore: decorator
@inline
export function recordBytes(planes: i32): usize {
  return planes == 1 ? 192 : 160;
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
  const most: f32 = planes == 1 ? 127 : 32639;
  const tokens = planes == 1 ? 4 : 2;
  for (; rows > 0; rows -= tokens, y += tileBytes(planes, n)) {
    if (rows < tokens) memory.fill(y, 0, tileBytes(planes, n));
    const count = min(rows, tokens);
    for (let t = 0; t < count; t++) {
      const word = <usize>t << 2;
      let to = y;
      for (let i = 0; i < n; i += 32, x += 128, to += recordBytes(planes)) {
        const largest = largestOf32(x);
        const factor = factorFor(largest, most);
        store<f32>(to + word, largest / most);
        for (let half: usize = 0; half < 2; half++) {
          const xh = x + half * 64;
          const first = roundToI16(v128.load(xh), v128.load(xh, 16), factor);
          const second = roundToI16(v128.load(xh, 32), v128.load(xh, 48), factor);
          const sums = planes == 1 ? to + 32 + half * 16 : to + 16 + half * 8;
          store<i32>(sums + word, sumOf16(first, second));
          const values = to + recordBytes(planes) - 128 + half * 64;
          const low = lowBytes(first, second);
          if (planes == 1) {
            storeWords(values + word, low);
            continue;
          }
          storeWords(values + 2 * word, highBytes(first, second));
          storeWords(values + 2 * word + 4, low);
        }
      }
    }
  }
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
