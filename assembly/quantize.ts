// Quantisation of activations.

import { addPairs, maxF32x4, roundToI16 } from "./lanes";

/**
 * x rounded to 16-bit integers, blocks of 32 with one scale, for products with packed weights.
 *
 *   y   out, one row after another; a row is
 *         i16[n]        round(x / scale), ties to even, |value| <= 32767
 *         f32[n / 32]   scale = max |x| / 32767 of the block
 *         f32[n / 16]   scale * sum of 16 values
 *   x   f32[rows, n]
 *
 * Requires n % 32 == 0, y apart from x. An all-zero block has scale 0; below 1e-34 integers are 0.
 * NaN or infinity in a block makes its scale NaN or infinite and its sums NaN: it is not lost.
 */
export function quantizeI16(y: usize, x: usize, rows: i32, n: i32): void {
  const ones = i16x8.splat(1);
  for (let r = 0; r < rows; r++) {
    let scales = y + (<usize>n << 1);
    let sums = scales + (<usize>n >> 3);
    const end = scales;
    for (; y < end; y += 64, x += 128, scales += 4, sums += 8) {
      // Magnitudes compare as integers, and NaN above all.
      let m = f32x4.abs(v128.load(x));
      for (let i: usize = 16; i < 128; i += 16) m = i32x4.max_u(m, f32x4.abs(v128.load(x + i)));
      const largest = maxF32x4(m);
      const scale = largest / 32767;
      const inverse: f32 = largest == 0 ? 0 : 32767 / largest;
      // Below 1e-34 the inverse overflows; such a block counts as zero.
      const factor = f32x4.splat(inverse == Infinity ? 0 : inverse);
      store<f32>(scales, scale);
      for (let half: usize = 0; half < 2; half++) {
        const xh = x + half * 64;
        const yh = y + half * 32;
        const first = roundToI16(v128.load(xh), v128.load(xh, 16), factor);
        const second = roundToI16(v128.load(xh, 32), v128.load(xh, 48), factor);
        v128.store(yh, first);
        v128.store(yh, second, 16);
        const sum = i32x4.add(i32x4.dot_i16x8_s(first, ones), i32x4.dot_i16x8_s(second, ones));
        const total = addPairs(sum, sum);
        const integer = i32x4.extract_lane(total, 0) + i32x4.extract_lane(total, 1);
        store<f32>(sums + half * 4, scale * <f32>integer);
      }
    }
    y = sums;
  }
}

/** Bytes of one row of quantizeI16. */
// @ts-ignore: decorator
@inline
export function rowBytesI16(n: i32): usize {
  return <usize>(n >> 5) * 76;
}
