// y = W x for one token: most of the time of decoding. Types without a kernel here go through
// matmul.ts.

import { addPairs, dot8, loadScaleX4, loadU8x4 } from "../lanes";
import { NIBBLES, Q4, Q4K, Q4M, Q8 } from "./layout";
import { I16, S8X2 } from "./quantize";
import { cellsAsU8, loadCellU8, signedMask } from "../reading";

/**
 * y = W x, x in form I16 (quantize.ts).
 *
 *   y      f32[rows]           out
 *   w      panels[rows, cols]  of `type`, layout.ts: Q8, Q4, Q4M or Q4K
 *   x      one row of quantizeI16, n = cols
 *
 * Requires rows % 8 == 0, cols % 32 == 0 (256 for Q4K). The sums of a block are exact; only the
 * scale products and the sum over blocks round. Minimums take the block's sum of x.
 */
export function matvecI16(y: usize, w: usize, type: i32, x: usize, rows: i32, cols: i32): void {
  if (type == Q8) multiply(y, w, Q8, x, rows, cols, I16);
  else if (type == Q4) multiply(y, w, Q4, x, rows, cols, I16);
  else if (type == Q4M) multiply(y, w, Q4M, x, rows, cols, I16);
  else multiply(y, w, Q4K, x, rows, cols, I16);
}

/** matvecI16 on a row of quantizeS8X2, without Q4M; with the relaxed dot (reading.ts). */
export function matvecS8X2(y: usize, w: usize, type: i32, x: usize, rows: i32, cols: i32): void {
  if (type == Q8) multiply(y, w, Q8, x, rows, cols, S8X2);
  else if (type == Q4) multiply(y, w, Q4, x, rows, cols, S8X2);
  else multiply(y, w, Q4K, x, rows, cols, S8X2);
}

/** Cells as of Q8 without scales, as `type` of multiply (absorb.ts). */
export const CELLS: i32 = -2;

/** The product of either form. */
// @ts-ignore: decorator
@inline
export function multiply(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  rows: i32,
  cols: i32,
  form: i32,
): void {
  const scales = x + (<usize>cols << 1);
  const fifteen = v128.load(NIBBLES);
  const isBytes = type == Q8 || type == CELLS;
  const signed = signedMask();
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
      const scale = v128.load32_splat(s);
      const total = i32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4));
      let scale0 = scale;
      let scale1 = scale;
      if (type != CELLS) {
        scale0 = f32x4.mul(type == Q4K ? f32x4.mul(d0, loadU8x4(w)) : loadScaleX4(w), scale);
        const w1 = type == Q4K ? f32x4.mul(d1, loadU8x4(w + 4)) : loadScaleX4(w + 8);
        scale1 = f32x4.mul(w1, scale);
      }
      if (type == Q4M || type == Q4K) {
        const min0 = type == Q4M ? loadScaleX4(w + 16) : f32x4.mul(m0, loadU8x4(w + 8));
        const min1 = type == Q4M ? loadScaleX4(w + 24) : f32x4.mul(m1, loadU8x4(w + 12));
        const weight = f32x4.mul(f32x4.convert_i32x4_s(total), scale);
        sum0 = f32x4.add(sum0, f32x4.mul(min0, weight));
        sum1 = f32x4.add(sum1, f32x4.mul(min1, weight));
      }
      if (type != CELLS) w += type == Q4M ? 32 : 16;
      let acc0 = i32x4.splat(0);
      let acc1 = i32x4.splat(0);
      let acc2 = i32x4.splat(0);
      let acc3 = i32x4.splat(0);
      let acc4 = i32x4.splat(0);
      let acc5 = i32x4.splat(0);
      let acc6 = i32x4.splat(0);
      let acc7 = i32x4.splat(0);
      if (form == I16) {
        for (const end = xb + 64; xb < end; xb += 8, w += isBytes ? 32 : 16) {
          const a = v128.load64_splat(xb);
          if (isBytes) {
            acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(loadCellU8(w), a));
            acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(loadCellU8(w, 8), a));
            acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(loadCellU8(w, 16), a));
            acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(loadCellU8(w, 24), a));
          } else {
            const v = type == Q4M ? v128.load(w) : cellsAsU8(v128.load(w));
            const top = v128.and(v, fifteen);
            const low = v128.and(i16x8.shr_u(v, 4), fifteen);
            acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(top), a));
            acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(top), a));
            acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(low), a));
            acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(low), a));
          }
        }
        acc0 = addPairs(acc0, acc1);
        acc1 = addPairs(acc2, acc3);
      } else {
        // Bytes that the dot reads as u8 are 128 more, whole bytes that it reads as s8 128 less.
        const bias = i32x4.shl(total, 7);
        if (isBytes) acc2 = v128.andnot(i32x4.neg(bias), v128.load(signed));
        acc3 = isBytes ? acc2 : v128.and(bias, v128.load(signed));
        for (const end = xb + 64; xb < end; xb += 16, w += isBytes ? 64 : 32) {
          const a = v128.load(xb);
          const h0 = v128.shuffle<i32>(a, a, 0, 0, 0, 0);
          const l0 = v128.shuffle<i32>(a, a, 1, 1, 1, 1);
          const h1 = v128.shuffle<i32>(a, a, 2, 2, 2, 2);
          const l1 = v128.shuffle<i32>(a, a, 3, 3, 3, 3);
          const v0 = v128.load(w);
          const v1 = v128.load(w, 16);
          const top0 = isBytes ? v0 : v128.and(v0, fifteen);
          const low0 = isBytes ? v1 : v0;
          acc0 = dot8(h0, top0, acc0);
          acc1 = dot8(h0, low0, acc1);
          acc2 = dot8(l0, top0, acc2);
          acc3 = dot8(l0, low0, acc3);
          const top1 = isBytes ? v128.load(w, 32) : v128.and(v1, fifteen);
          const low1 = isBytes ? v128.load(w, 48) : v1;
          acc4 = dot8(h1, top1, acc4);
          acc5 = dot8(h1, low1, acc5);
          acc6 = dot8(l1, top1, acc6);
          acc7 = dot8(l1, low1, acc7);
        }
        acc0 = i32x4.add(i32x4.shl(i32x4.add(acc0, acc4), 8), i32x4.add(acc2, acc6));
        acc1 = i32x4.add(i32x4.shl(i32x4.add(acc1, acc5), 8), i32x4.add(acc3, acc7));
        // Whole bytes are 16 times rows 4-7 plus rows 0-3.
        if (!isBytes) acc1 = i32x4.shr_s(i32x4.sub(acc1, acc0), 4);
      }
      if ((isBytes && form == I16) || type == Q4) {
        const bias = i32x4.shl(total, isBytes ? 7 : 3);
        acc0 = i32x4.sub(acc0, bias);
        acc1 = i32x4.sub(acc1, bias);
      }
      sum0 = f32x4.add(sum0, f32x4.mul(f32x4.convert_i32x4_s(acc0), scale0));
      sum1 = f32x4.add(sum1, f32x4.mul(f32x4.convert_i32x4_s(acc1), scale1));
    }
    v128.store(y, sum0);
    v128.store(y, sum1, 16);
  }
}
