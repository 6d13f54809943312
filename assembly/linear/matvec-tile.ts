// The inner loop of matvec-rows.ts: 8 outputs of a tile of 2 or 4 tokens, of a packed panel
// (layout.ts). Sums over blocks stay in y: registers are for the dots of a block.

import { addPairs, dot8 } from "../lanes";
import { NIBBLES, Q4K, Q4M, Q8 } from "./layout";
import { accumulate, accumulateBoth, minimumOf, scaleOf } from "./matvec-sums";
import { I16 } from "./quantize";
import { cellsAsU8, loadCellU8 } from "../reading";

/**
 * 8 outputs of `width` tokens, 2 or 4. The operations on floats, and their order, are those of
 * matvec.ts.
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
  cols: i32,
  form: i32,
  width: i32,
): void {
  const scales = x + (<usize>cols << 1);
  const block: usize = type == Q8 ? 256 : 128;
  const head: usize = type == Q4M ? 32 : 16;
  let s = scales;
  let sums = scales + (<usize>cols >> 3);
  // f16 d[8], dm[8] of Q4K
  let superblock = w;
  for (let t: usize = 0; t < <usize>width; t++) {
    v128.store(y + t * stride, f32x4.splat(0));
    v128.store(y + t * stride, f32x4.splat(0), 16);
  }
  for (let xb = x; xb < scales; xb += 64, s += 4, sums += 8) {
    if (type == Q4K && ((xb - x) & 511) == 0) {
      superblock = w;
      w += 32;
    }
    if (form == I16) {
      multiplyQuad(y, stride, superblock, w, type, xb, row, s, sums, 0, width);
      multiplyQuad(y, stride, superblock, w, type, xb, row, s, sums, 1, width);
    } else {
      multiplyPlanes(y, stride, superblock, w, type, xb, row, s, sums, width);
    }
    w += head + block;
  }
}

/** 32 inputs, rows 0-3 or 4-7, activations in form I16. */
// @ts-ignore: decorator
@inline
function multiplyQuad(
  y: usize,
  stride: usize,
  superblock: usize,
  w: usize,
  type: i32,
  x: usize,
  row: usize,
  s: usize,
  sums: usize,
  quad: usize,
  width: i32,
): void {
  const fifteen = v128.load(NIBBLES);
  let acc0 = i32x4.splat(0);
  let acc1 = acc0;
  let acc2 = acc0;
  let acc3 = acc0;
  let acc4 = acc0;
  let acc5 = acc0;
  let acc6 = acc0;
  let acc7 = acc0;
  let cell = w + (type == Q4M ? 32 : 16);
  for (let a = x, end = x + 64; a < end; a += 8, cell += type == Q8 ? 32 : 16) {
    let w0: v128;
    let w1: v128;
    if (type == Q8) {
      w0 = loadCellU8(cell + 16 * quad);
      w1 = loadCellU8(cell + 16 * quad, 8);
    } else {
      const v = type == Q4M ? v128.load(cell) : cellsAsU8(v128.load(cell));
      const nibbles = v128.and(quad == 0 ? v : i16x8.shr_u(v, 4), fifteen);
      w0 = i16x8.extend_low_i8x16_u(nibbles);
      w1 = i16x8.extend_high_i8x16_u(nibbles);
    }
    const a0 = v128.load64_splat(a);
    acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(w0, a0));
    acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(w1, a0));
    const a1 = v128.load64_splat(a + row);
    acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(w0, a1));
    acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(w1, a1));
    if (width == 2) continue;
    const a2 = v128.load64_splat(a + 2 * row);
    acc4 = i32x4.add(acc4, i32x4.dot_i16x8_s(w0, a2));
    acc5 = i32x4.add(acc5, i32x4.dot_i16x8_s(w1, a2));
    const a3 = v128.load64_splat(a + 3 * row);
    acc6 = i32x4.add(acc6, i32x4.dot_i16x8_s(w0, a3));
    acc7 = i32x4.add(acc7, i32x4.dot_i16x8_s(w1, a3));
  }
  const to = y + 16 * quad;
  const scale = scaleOf(superblock, w, type, quad);
  const minimum = minimumOf(superblock, w, type, quad);
  accumulate(to, addPairs(acc0, acc1), type, scale, minimum, s, sums);
  accumulate(to + stride, addPairs(acc2, acc3), type, scale, minimum, s + row, sums + row);
  if (width == 2) return;
  const s2 = s + 2 * row;
  const s3 = s + 3 * row;
  const sums2 = sums + 2 * row;
  const sums3 = sums + 3 * row;
  accumulate(to + 2 * stride, addPairs(acc4, acc5), type, scale, minimum, s2, sums2);
  accumulate(to + 3 * stride, addPairs(acc6, acc7), type, scale, minimum, s3, sums3);
}

/**
 * 32 inputs, rows 0-7, activations in form S8X2: the dots of the high planes and, on 256 times
 * those, the low ones'. A dot of a plane is 32 products of a u8 and an s8, within 2^20: 256 times
 * that is within 2^28, so that both fit.
 */
// @ts-ignore: decorator
@inline
function multiplyPlanes(
  y: usize,
  stride: usize,
  superblock: usize,
  w: usize,
  type: i32,
  x: usize,
  row: usize,
  s: usize,
  sums: usize,
  width: i32,
): void {
  const fifteen = v128.load(NIBBLES);
  let acc0 = i32x4.splat(0);
  let acc1 = acc0;
  let acc2 = acc0;
  let acc3 = acc0;
  let acc4 = acc0;
  let acc5 = acc0;
  let acc6 = acc0;
  let acc7 = acc0;
  // 4 tokens have their planes one after the other, 2 tokens both at once.
  const second: usize = width == 4 ? 2 * row : 4;
  for (let plane: usize = 0; plane < (width == 4 ? 8 : 4); plane += 4) {
    if (plane == 4) {
      acc0 = i32x4.shl(acc0, 8);
      acc1 = i32x4.shl(acc1, 8);
      acc2 = i32x4.shl(acc2, 8);
      acc3 = i32x4.shl(acc3, 8);
      acc4 = i32x4.shl(acc4, 8);
      acc5 = i32x4.shl(acc5, 8);
      acc6 = i32x4.shl(acc6, 8);
      acc7 = i32x4.shl(acc7, 8);
    }
    let cell = w + 16;
    for (let a = x + plane, end = x + 64; a < end; a += 8, cell += type == Q8 ? 32 : 16) {
      const v = v128.load(cell);
      const w0 = type == Q8 ? v : v128.and(v, fifteen);
      const w1 = type == Q8 ? v128.load(cell, 16) : v;
      const a0 = v128.load32_splat(a);
      acc0 = dot8(a0, w0, acc0);
      acc1 = dot8(a0, w1, acc1);
      const a1 = v128.load32_splat(a + row);
      acc2 = dot8(a1, w0, acc2);
      acc3 = dot8(a1, w1, acc3);
      const a2 = v128.load32_splat(a + second);
      acc4 = dot8(a2, w0, acc4);
      acc5 = dot8(a2, w1, acc5);
      const a3 = v128.load32_splat(a + second + row);
      acc6 = dot8(a3, w0, acc6);
      acc7 = dot8(a3, w1, acc7);
    }
  }
  if (width == 2) {
    acc0 = i32x4.add(i32x4.shl(acc0, 8), acc4);
    acc1 = i32x4.add(i32x4.shl(acc1, 8), acc5);
    acc2 = i32x4.add(i32x4.shl(acc2, 8), acc6);
    acc3 = i32x4.add(i32x4.shl(acc3, 8), acc7);
  }
  const scale0 = scaleOf(superblock, w, type, 0);
  const scale1 = scaleOf(superblock, w, type, 1);
  const min0 = minimumOf(superblock, w, type, 0);
  const min1 = minimumOf(superblock, w, type, 1);
  accumulateBoth(y, acc0, acc1, type, scale0, scale1, min0, min1, s, sums);
  accumulateBoth(y + stride, acc2, acc3, type, scale0, scale1, min0, min1, s + row, sums + row);
  if (width == 2) return;
  const y2 = y + 2 * stride;
  const s2 = s + 2 * row;
  const sums2 = sums + 2 * row;
  accumulateBoth(y2, acc4, acc5, type, scale0, scale1, min0, min1, s2, sums2);
  accumulateBoth(y2 + stride, acc6, acc7, type, scale0, scale1, min0, min1, s2 + row, sums2 + row);
}
