// Quantisation of activations, row by row.
//
//   form    a block of 32 values                               its scale is max |x| over
//   I16     i16[32]                                            32767
//   S8X2    8 times s8 high[4], low[4]: 256 high + low         32639 = 127 * 256 + 127
//
// where low is never -128: an integer that would need it is one more.
//
// A row of n values: all blocks, f32 scale[n / 32], i32 sum[n / 16] of 16 integers each. planes.ts
// has the forms for several tokens at once.

import { addPairs, maxF32x4, roundToI16 } from "../lanes";

/** Pairs for i32x4.dot_i16x8_s. */
export const I16: i32 = 0;
/** Two planes for the relaxed dot: as precise as I16. */
export const S8X2: i32 = 1;

/** Bytes of one row. */
// @ts-ignore: decorator
@inline
export function rowBytesI16(n: i32): usize {
  return <usize>(n >> 5) * 76;
}

/** Largest |x| of 32; NaN counts as larger than all. */
// @ts-ignore: decorator
@inline
export function largestOf32(x: usize): f32 {
  // Magnitudes compare as integers, and NaN above all.
  let m = f32x4.abs(v128.load(x));
  for (let i: usize = 16; i < 128; i += 16) m = i32x4.max_u(m, f32x4.abs(v128.load(x + i)));
  return maxF32x4(m);
}

/** The factor for values with this largest magnitude; 0 if it is too small. */
// @ts-ignore: decorator
@inline
export function factorFor(largest: f32, most: f32): v128 {
  const inverse: f32 = largest == 0 ? 0 : most / largest;
  return f32x4.splat(inverse == Infinity ? 0 : inverse);
}

/** Sum of 16 i16. */
// @ts-ignore: decorator
@inline
export function sumOf16(first: v128, second: v128): i32 {
  const ones = i16x8.splat(1);
  const sum = i32x4.add(i32x4.dot_i16x8_s(first, ones), i32x4.dot_i16x8_s(second, ones));
  const total = addPairs(sum, sum);
  return i32x4.extract_lane(total, 0) + i32x4.extract_lane(total, 1);
}

/** 8 i16; those whose low byte would be -128 are one more (reading.ts). */
// @ts-ignore: decorator
@inline
export function avoid128(a: v128): v128 {
  const low = v128.and(a, i16x8.splat(255));
  return i16x8.sub(a, i16x8.eq(low, i16x8.splat(128)));
}

/** The low bytes of 16 i16. */
// @ts-ignore: decorator
@inline
export function lowBytes(first: v128, second: v128): v128 {
  return v128.shuffle<i8>(
    first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
  );
}

/** The bytes above the low ones, if those count as signed. */
// @ts-ignore: decorator
@inline
export function highBytes(first: v128, second: v128): v128 {
  const round = i16x8.splat(128);
  return i8x16.narrow_i16x8_s(
    i16x8.shr_s(i16x8.add(first, round), 8),
    i16x8.shr_s(i16x8.add(second, round), 8),
  );
}

/**
 * x rounded to integers, blocks of 32 with one scale, ties to even.
 *
 *   y   rows of form I16   out
 *   x   f32[rows, n]
 *
 * Requires n % 32 == 0, y apart from x. An all-zero block has scale 0; below 1e-34 integers are 0.
 * NaN or infinity in a block makes its scale NaN or infinite: it is not lost.
 */
export function quantizeI16(y: usize, x: usize, rows: i32, n: i32): void {
  quantize(y, x, rows, n, I16);
}

/** quantizeI16 in form S8X2. */
export function quantizeS8X2(y: usize, x: usize, rows: i32, n: i32): void {
  quantize(y, x, rows, n, S8X2);
}

// @ts-ignore: decorator
@inline
function quantize(y: usize, x: usize, rows: i32, n: i32, form: i32): void {
  const most: f32 = form == I16 ? 32767 : 32639;
  for (let r = 0; r < rows; r++) {
    const end = y + (<usize>n << 1);
    let scales = end;
    let sums = end + (<usize>n >> 3);
    for (; y < end; y += 64, x += 128, scales += 4, sums += 8) {
      const largest = largestOf32(x);
      const factor = factorFor(largest, most);
      store<f32>(scales, largest / most);
      for (let half: usize = 0; half < 2; half++) {
        const xh = x + half * 64;
        const first = roundToI16(v128.load(xh), v128.load(xh, 16), factor);
        const second = roundToI16(v128.load(xh, 32), v128.load(xh, 48), factor);
        storeRounded(y + half * 32, sums + half * 4, first, second, form);
      }
    }
    y = sums;
  }
}

/** 16 integers in a form, and their sum. */
// @ts-ignore: decorator
@inline
export function storeRounded(y: usize, sum: usize, first: v128, second: v128, form: i32): void {
  if (form == S8X2) {
    first = avoid128(first);
    second = avoid128(second);
  }
  store<i32>(sum, sumOf16(first, second));
  if (form == I16) {
    v128.store(y, first);
    v128.store(y, second, 16);
  } else {
    const high = highBytes(first, second);
    const low = lowBytes(first, second);
    v128.store(y, v128.shuffle<i32>(high, low, 0, 4, 1, 5));
    v128.store(y, v128.shuffle<i32>(high, low, 2, 6, 3, 7), 16);
  }
}
