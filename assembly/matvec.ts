// y = W x with packed Q8 weights: the product that decoding spends its time in.

import { addPairs, loadF16x4 } from "./lanes";

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
      const scale0 = f32x4.mul(loadF16x4(w), scale);
      const scale1 = f32x4.mul(loadF16x4(w + 8), scale);
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

