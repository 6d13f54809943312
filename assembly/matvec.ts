// y = W x for one token: the products that decoding spends its time in. Types that have none here
// go through matmulI16.

import { addPairs, loadScaleX4, loadU8x4 } from "./lanes";
import { Q4, Q4K, Q4M } from "./layout";

/**
 * y = W x, W int8 in blocks of 32 with f16 scales, x 16-bit integers in blocks of 32.
 *
 *   y   f32[rows]              out
 *   w   Q8 panels[rows, cols]  layout.ts
 *   x   one row of quantizeI16, n = cols
 *
 * Requires rows % 8 == 0, cols % 32 == 0. The sums of a block are exact; only the scale products
 * and the sum over blocks round.
 */
export function matvecQ8(y: usize, w: usize, x: usize, rows: i32, cols: i32): void {
  const scales = x + (<usize>cols << 1);
  for (let r = 0; r < rows; r += 8, y += 32) {
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let s = scales;
    for (let xb = x; xb < scales; s += 4) {
      const scale = v128.load32_splat(s);
      const scale0 = f32x4.mul(loadScaleX4(w), scale);
      const scale1 = f32x4.mul(loadScaleX4(w + 8), scale);
      w += 16;
      let acc0 = i32x4.splat(0);
      let acc1 = i32x4.splat(0);
      let acc2 = i32x4.splat(0);
      let acc3 = i32x4.splat(0);
      for (const end = xb + 64; xb < end; xb += 8, w += 32) {
        const a = v128.load64_splat(xb);
        acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(v128.load8x8_s(w), a));
        acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(v128.load8x8_s(w, 8), a));
        acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(v128.load8x8_s(w, 16), a));
        acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(v128.load8x8_s(w, 24), a));
      }
      sum0 = f32x4.add(sum0, f32x4.mul(f32x4.convert_i32x4_s(addPairs(acc0, acc1)), scale0));
      sum1 = f32x4.add(sum1, f32x4.mul(f32x4.convert_i32x4_s(addPairs(acc2, acc3)), scale1));
    }
    v128.store(y, sum0);
    v128.store(y, sum1, 16);
  }
}


/**
 * y = W x, W 4-bit (type Q4, Q4M or Q4K), x 16-bit integers in blocks of 32.
 *
 *   y   f32[rows]           out
 *   w   panels[rows, cols]  of `type`, layout.ts
 *   x   one row of quantizeI16, n = cols
 *
 * Requires rows % 8 == 0, cols % 32 == 0 (256 for Q4K). Rounds as matvecQ8; minimums take the
 * block's sum of x, which quantizeI16 made.
 */
export function matvecQ4(y: usize, w: usize, type: i32, x: usize, rows: i32, cols: i32): void {
  if (type == Q4) multiplyNibbles(y, w, Q4, x, rows, cols);
  else if (type == Q4M) multiplyNibbles(y, w, Q4M, x, rows, cols);
  else multiplyNibbles(y, w, Q4K, x, rows, cols);
}

// @ts-ignore: decorator
@inline
function multiplyNibbles(y: usize, w: usize, type: i32, x: usize, rows: i32, cols: i32): void {
  const scales = x + (<usize>cols << 1);
  const fifteen = i8x16.splat(15);
  const eight = i8x16.splat(8);
  let d0 = f32x4.splat(0);
  let d1 = d0;
  let m0 = d0;
  let m1 = d0;
  for (let r = 0; r < rows; r += 8, y += 32) {
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let s = scales;
    let sums = scales + (<usize>cols >> 3);
    for (let xb = x; xb < scales; s += 4, sums += 8) {
      if (type == Q4K && ((xb - x) & 511) == 0) {
        d0 = loadScaleX4(w);
        d1 = loadScaleX4(w + 8);
        m0 = f32x4.neg(loadScaleX4(w + 16));
        m1 = f32x4.neg(loadScaleX4(w + 24));
        w += 32;
      }
      let scale0 = type == Q4K ? f32x4.mul(d0, loadU8x4(w)) : loadScaleX4(w);
      let scale1 = type == Q4K ? f32x4.mul(d1, loadU8x4(w + 4)) : loadScaleX4(w + 8);
      if (type != Q4) {
        const total = f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4));
        const min0 = type == Q4M ? loadScaleX4(w + 16) : f32x4.mul(m0, loadU8x4(w + 8));
        const min1 = type == Q4M ? loadScaleX4(w + 24) : f32x4.mul(m1, loadU8x4(w + 12));
        sum0 = f32x4.add(sum0, f32x4.mul(min0, total));
        sum1 = f32x4.add(sum1, f32x4.mul(min1, total));
      }
      w += type == Q4M ? 32 : 16;
      let acc0 = i32x4.splat(0);
      let acc1 = i32x4.splat(0);
      let acc2 = i32x4.splat(0);
      let acc3 = i32x4.splat(0);
      for (const end = xb + 64; xb < end; xb += 8, w += 16) {
        const a = v128.load64_splat(xb);
        const v = v128.load(w);
        let top = v128.and(v, fifteen);
        let low = i8x16.shr_u(v, 4);
        if (type == Q4) {
          top = i8x16.sub(top, eight);
          low = i8x16.sub(low, eight);
        }
        acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(top), a));
        acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(top), a));
        acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(low), a));
        acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(low), a));
      }
      const scale = v128.load32_splat(s);
      scale0 = f32x4.mul(scale0, scale);
      scale1 = f32x4.mul(scale1, scale);
      sum0 = f32x4.add(sum0, f32x4.mul(f32x4.convert_i32x4_s(addPairs(acc0, acc1)), scale0));
      sum1 = f32x4.add(sum1, f32x4.mul(f32x4.convert_i32x4_s(addPairs(acc2, acc3)), scale1));
    }
    v128.store(y, sum0);
    v128.store(y, sum1, 16);
  }
}
