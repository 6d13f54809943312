// What matvec-tile.ts does with the dots of a block of 32 inputs: the operations on floats, and
// their order, are those of matvec.ts.

import { loadScaleX4, loadU8x4 } from "../lanes";
import { Q4, Q4K, Q4M, Q8 } from "./layout";
import { I16, S8X2 } from "./quantize";
import { signedMask } from "../reading";

/** A token's 8 outputs, activations in form S8X2. */
// @ts-ignore: decorator
@inline
export function accumulateBoth(
  y: usize,
  dots0: v128,
  dots1: v128,
  type: i32,
  scale0: v128,
  scale1: v128,
  min0: v128,
  min1: v128,
  s: usize,
  sums: usize,
): void {
  const scale = v128.load32_splat(s);
  const total = i32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4));
  if (type != Q8) {
    // Whole bytes are 128 less where the dot reads s8, and 16 times rows 4-7 plus rows 0-3.
    dots1 = i32x4.add(dots1, v128.and(i32x4.shl(total, 7), v128.load(signedMask())));
    dots1 = i32x4.shr_s(i32x4.sub(dots1, dots0), 4);
  }
  if (type == Q8 || type == Q4) {
    const bias = biasOf(type, total, S8X2);
    dots0 = i32x4.sub(dots0, bias);
    dots1 = i32x4.sub(dots1, bias);
  }
  v128.store(y, accumulated(v128.load(y), dots0, type, scale0, min0, scale, total));
  v128.store(y, accumulated(v128.load(y, 16), dots1, type, scale1, min1, scale, total), 16);
}

/** Scales of 4 rows of a block. */
// @ts-ignore: decorator
@inline
export function scaleOf(superblock: usize, w: usize, type: i32, quad: usize): v128 {
  if (type != Q4K) return loadScaleX4(w + 8 * quad);
  return f32x4.mul(loadScaleX4(superblock + 8 * quad), loadU8x4(w + 4 * quad));
}

/** Minimums of 4 rows of a block, if the type has any. */
// @ts-ignore: decorator
@inline
export function minimumOf(superblock: usize, w: usize, type: i32, quad: usize): v128 {
  if (type == Q4M) return loadScaleX4(w + 16 + 8 * quad);
  if (type != Q4K) return f32x4.splat(0);
  return f32x4.mul(f32x4.neg(loadScaleX4(superblock + 16 + 8 * quad)), loadU8x4(w + 8 + 4 * quad));
}

/** A token's 4 outputs, activations in form I16. */
// @ts-ignore: decorator
@inline
export function accumulate(
  y: usize,
  dots: v128,
  type: i32,
  scales: v128,
  minimums: v128,
  s: usize,
  sums: usize,
): void {
  const scale = v128.load32_splat(s);
  const total = i32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4));
  if (type == Q8 || type == Q4) dots = i32x4.sub(dots, biasOf(type, total, I16));
  v128.store(y, accumulated(v128.load(y), dots, type, scales, minimums, scale, total));
}

/** What cells of Q8 or Q4 add to dots with the values; `total` is the sum of activations. */
// @ts-ignore: decorator
@inline
function biasOf(type: i32, total: v128, form: i32): v128 {
  if (type == Q4) return i32x4.shl(total, 3);
  const bias = i32x4.shl(total, 7);
  return form == S8X2 ? v128.andnot(bias, v128.load(signedMask())) : bias;
}

/** sum + minimums * the sum of activations + dots * scales */
// @ts-ignore: decorator
@inline
function accumulated(
  sum: v128,
  dots: v128,
  type: i32,
  scales: v128,
  minimums: v128,
  scale: v128,
  total: v128,
): v128 {
  if (type == Q4M || type == Q4K) {
    const weight = f32x4.mul(f32x4.convert_i32x4_s(total), scale);
    sum = f32x4.add(sum, f32x4.mul(minimums, weight));
  }
  return f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.mul(scales, scale)));
}
