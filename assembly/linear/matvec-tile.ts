// The inner loop of matvec-rows.ts: 8 outputs of 2 or 4 tokens, of a packed panel (layout.ts).

import { addPairs, dot8, loadScaleX4, loadU8x4 } from "../lanes";
import { NIBBLES, Q4, Q4K, Q4M, Q8 } from "./layout";
import { I16 } from "./quantize";

/**
 * 8 outputs of `left` tokens, at most `width` = 2 or 4. The others repeat the last token and are
 * not stored. The operations on floats, and their order, are those of matvec.ts.
 */
// @ts-ignore: decorator
@inline
export function multiplyTile(
  y: usize,
  stride: usize,
  w: usize,
  type: i32,
  x: usize,
  row: usize,
  left: i32,
  cols: i32,
  form: i32,
  width: i32,
): void {
  const x1 = left > 1 ? row : 0;
  const x2 = left > 2 ? x1 + row : x1;
  const x3 = left > 3 ? x2 + row : x2;
  const isBytes = type == Q8;
  const cell: usize = isBytes ? 32 : 16;
  const fifteen = v128.load(NIBBLES);
  const zero = f32x4.splat(0);
  let sum00 = zero;
  let sum01 = zero;
  let sum10 = zero;
  let sum11 = zero;
  let sum20 = zero;
  let sum21 = zero;
  let sum30 = zero;
  let sum31 = zero;
  let d0 = zero;
  let d1 = zero;
  let m0 = zero;
  let m1 = zero;
  const scales = x + (<usize>cols << 1);
  let s = scales;
  let sums = scales + (<usize>cols >> 3);
  for (let xb = x; xb < scales; xb += 64, s += 4, sums += 8) {
    if (type == Q4K && ((xb - x) & 511) == 0) {
      d0 = loadScaleX4(w);
      d1 = loadScaleX4(w + 8);
      m0 = f32x4.neg(loadScaleX4(w + 16));
      m1 = f32x4.neg(loadScaleX4(w + 24));
      w += 32;
    }
    const head = w;
    w += type == Q4M ? 32 : 16;
    let acc00 = zero;
    let acc01 = zero;
    let acc10 = zero;
    let acc11 = zero;
    let acc20 = zero;
    let acc21 = zero;
    let acc30 = zero;
    let acc31 = zero;
    if (form == I16) {
      // Rows 0-3, then rows 4-7.
      for (let quad: usize = 0; quad < 2; quad++) {
        let p00 = zero;
        let p01 = zero;
        let p10 = zero;
        let p11 = zero;
        let p20 = zero;
        let p21 = zero;
        let p30 = zero;
        let p31 = zero;
        let c = w + (isBytes ? quad << 4 : 0);
        for (let i: usize = 0; i < 64; i += 8, c += cell) {
          const a = xb + i;
          let w0: v128;
          let w1: v128;
          if (isBytes) {
            w0 = v128.load8x8_u(c);
            w1 = v128.load8x8_u(c, 8);
          } else {
            const v = v128.load(c);
            const half = v128.and(quad == 0 ? v : i16x8.shr_u(v, 4), fifteen);
            w0 = i16x8.extend_low_i8x16_u(half);
            w1 = i16x8.extend_high_i8x16_u(half);
          }
          const a0 = v128.load64_splat(a);
          p00 = i32x4.add(p00, i32x4.dot_i16x8_s(w0, a0));
          p01 = i32x4.add(p01, i32x4.dot_i16x8_s(w1, a0));
          const a1 = v128.load64_splat(a + x1);
          p10 = i32x4.add(p10, i32x4.dot_i16x8_s(w0, a1));
          p11 = i32x4.add(p11, i32x4.dot_i16x8_s(w1, a1));
          if (width == 4) {
            const a2 = v128.load64_splat(a + x2);
            p20 = i32x4.add(p20, i32x4.dot_i16x8_s(w0, a2));
            p21 = i32x4.add(p21, i32x4.dot_i16x8_s(w1, a2));
            const a3 = v128.load64_splat(a + x3);
            p30 = i32x4.add(p30, i32x4.dot_i16x8_s(w0, a3));
            p31 = i32x4.add(p31, i32x4.dot_i16x8_s(w1, a3));
          }
        }
        if (quad == 0) {
          acc00 = addPairs(p00, p01);
          acc10 = addPairs(p10, p11);
          if (width == 4) {
            acc20 = addPairs(p20, p21);
            acc30 = addPairs(p30, p31);
          }
        } else {
          acc01 = addPairs(p00, p01);
          acc11 = addPairs(p10, p11);
          if (width == 4) {
            acc21 = addPairs(p20, p21);
            acc31 = addPairs(p30, p31);
          }
        }
      }
    } else {
      // The high planes, then, on 256 times their dots, the low ones: 32 products of a byte and an
      // s8 stay below 2^20 * 1.01, 256 times that below 2^31.
      for (let plane: usize = 0; plane < 8; plane += 4) {
        let c = w;
        for (let i = plane; i < 64; i += 8, c += cell) {
          const a = xb + i;
          const v = v128.load(c);
          const w0 = isBytes ? v : v128.and(v, fifteen);
          const w1 = isBytes ? v128.load(c, 16) : v;
          const a0 = v128.load32_splat(a);
          acc00 = dot8(a0, w0, acc00);
          acc01 = dot8(a0, w1, acc01);
          const a1 = v128.load32_splat(a + x1);
          acc10 = dot8(a1, w0, acc10);
          acc11 = dot8(a1, w1, acc11);
          if (width == 4) {
            const a2 = v128.load32_splat(a + x2);
            acc20 = dot8(a2, w0, acc20);
            acc21 = dot8(a2, w1, acc21);
            const a3 = v128.load32_splat(a + x3);
            acc30 = dot8(a3, w0, acc30);
            acc31 = dot8(a3, w1, acc31);
          }
        }
        if (plane == 0) {
          acc00 = i32x4.shl(acc00, 8);
          acc01 = i32x4.shl(acc01, 8);
          acc10 = i32x4.shl(acc10, 8);
          acc11 = i32x4.shl(acc11, 8);
          if (width == 4) {
            acc20 = i32x4.shl(acc20, 8);
            acc21 = i32x4.shl(acc21, 8);
            acc30 = i32x4.shl(acc30, 8);
            acc31 = i32x4.shl(acc31, 8);
          }
        }
      }
      if (!isBytes) {
        // Whole bytes are 16 times rows 4-7 plus rows 0-3.
        acc01 = i32x4.shr_s(i32x4.sub(acc01, acc00), 4);
        acc11 = i32x4.shr_s(i32x4.sub(acc11, acc10), 4);
        if (width == 4) {
          acc21 = i32x4.shr_s(i32x4.sub(acc21, acc20), 4);
          acc31 = i32x4.shr_s(i32x4.sub(acc31, acc30), 4);
        }
      }
    }
    w += cell << 3;
    const w0 = type == Q4K ? f32x4.mul(d0, loadU8x4(head)) : loadScaleX4(head);
    const w1 = type == Q4K ? f32x4.mul(d1, loadU8x4(head + 4)) : loadScaleX4(head + 8);
    const hasMinimums = type == Q4M || type == Q4K;
    const shift = isBytes ? 7 : 3;
    const isBiased = isBytes || type == Q4;
    let min0 = zero;
    let min1 = zero;
    if (type == Q4M) {
      min0 = loadScaleX4(head + 16);
      min1 = loadScaleX4(head + 24);
    } else if (type == Q4K) {
      min0 = f32x4.mul(m0, loadU8x4(head + 8));
      min1 = f32x4.mul(m1, loadU8x4(head + 12));
    }
    const total0 = totalAt(sums);
    const scale0 = v128.load32_splat(s);
    if (hasMinimums) {
      const weight = f32x4.mul(f32x4.convert_i32x4_s(total0), scale0);
      sum00 = f32x4.add(sum00, f32x4.mul(min0, weight));
      sum01 = f32x4.add(sum01, f32x4.mul(min1, weight));
    }
    const bias0 = isBiased ? i32x4.shl(total0, shift) : zero;
    sum00 = accumulate(sum00, acc00, bias0, isBiased, w0, scale0);
    sum01 = accumulate(sum01, acc01, bias0, isBiased, w1, scale0);
    const total1 = totalAt(sums + x1);
    const scale1 = v128.load32_splat(s + x1);
    if (hasMinimums) {
      const weight = f32x4.mul(f32x4.convert_i32x4_s(total1), scale1);
      sum10 = f32x4.add(sum10, f32x4.mul(min0, weight));
      sum11 = f32x4.add(sum11, f32x4.mul(min1, weight));
    }
    const bias1 = isBiased ? i32x4.shl(total1, shift) : zero;
    sum10 = accumulate(sum10, acc10, bias1, isBiased, w0, scale1);
    sum11 = accumulate(sum11, acc11, bias1, isBiased, w1, scale1);
    if (width == 4) {
      const total2 = totalAt(sums + x2);
      const scale2 = v128.load32_splat(s + x2);
      if (hasMinimums) {
        const weight = f32x4.mul(f32x4.convert_i32x4_s(total2), scale2);
        sum20 = f32x4.add(sum20, f32x4.mul(min0, weight));
        sum21 = f32x4.add(sum21, f32x4.mul(min1, weight));
      }
      const bias2 = isBiased ? i32x4.shl(total2, shift) : zero;
      sum20 = accumulate(sum20, acc20, bias2, isBiased, w0, scale2);
      sum21 = accumulate(sum21, acc21, bias2, isBiased, w1, scale2);
      const total3 = totalAt(sums + x3);
      const scale3 = v128.load32_splat(s + x3);
      if (hasMinimums) {
        const weight = f32x4.mul(f32x4.convert_i32x4_s(total3), scale3);
        sum30 = f32x4.add(sum30, f32x4.mul(min0, weight));
        sum31 = f32x4.add(sum31, f32x4.mul(min1, weight));
      }
      const bias3 = isBiased ? i32x4.shl(total3, shift) : zero;
      sum30 = accumulate(sum30, acc30, bias3, isBiased, w0, scale3);
      sum31 = accumulate(sum31, acc31, bias3, isBiased, w1, scale3);
    }
  }
  v128.store(y, sum00);
  v128.store(y, sum01, 16);
  if (left > 1) {
    v128.store(y + stride, sum10);
    v128.store(y + stride, sum11, 16);
  }
  if (width == 4) {
    if (left > 2) {
      v128.store(y + 2 * stride, sum20);
      v128.store(y + 2 * stride, sum21, 16);
    }
    if (left > 3) {
      v128.store(y + 3 * stride, sum30);
      v128.store(y + 3 * stride, sum31, 16);
    }
  }
}

/** The sum of a block's 32 integers. */
// @ts-ignore: decorator
@inline
function totalAt(sums: usize): v128 {
  return i32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4));
}

/** sum + (dots - bias) * (weights' scale * activations' scale) */
// @ts-ignore: decorator
@inline
function accumulate(
  sum: v128,
  dots: v128,
  bias: v128,
  isBiased: bool,
  weights: v128,
  scale: v128,
): v128 {
  const exact = isBiased ? i32x4.sub(dots, bias) : dots;
  return f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(exact), f32x4.mul(weights, scale)));
}
