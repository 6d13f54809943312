// The inner loops of matmul.ts: 8 outputs at a time, of an unpacked panel (layout.ts).

import { addPairs } from "../lanes";
import { UNPACKED_BLOCK, UNPACKED_CELLS } from "./layout";
import { rowBytesI16 } from "./quantize";

/** sum + dot * (weights' scale * activations' scale) [+ minimum * sum of activations * scale]. */
// @ts-ignore: decorator
@inline
function accumulate(
  sum: v128,
  dots: v128,
  panel: usize,
  scale: usize,
  activationSums: usize,
  minimums: bool,
  halves: bool,
): v128 {
  const product = f32x4.mul(v128.load(panel), v128.load32_splat(scale));
  sum = f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(dots), product));
  if (!minimums) return sum;
  let total = v128.load32_splat(activationSums);
  if (!halves) total = i32x4.add(total, v128.load32_splat(activationSums, 4));
  const weight = f32x4.mul(f32x4.convert_i32x4_s(total), v128.load32_splat(scale));
  return f32x4.add(sum, f32x4.mul(v128.load(panel, 64), weight));
}

/** 4 outputs of 4 tokens; rows 4-7 have scales and cells 16 bytes after those of rows 0-3. */
// @ts-ignore: decorator
@inline
export function multiplyTile(
  y: usize,
  stride: usize,
  panel: usize,
  x: usize,
  cols: i32,
  halves: bool,
  minimums: bool,
): void {
  const row = rowBytesI16(cols);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  const span: usize = halves ? 32 : 64;
  const scales = x + (<usize>cols << 1);
  let s = scales;
  let sums = s + (<usize>cols >> 3);
  let half: usize = 0;
  for (let xb = x; xb < scales; ) {
    let acc0 = i32x4.splat(0);
    let acc1 = i32x4.splat(0);
    let acc2 = i32x4.splat(0);
    let acc3 = i32x4.splat(0);
    let acc4 = i32x4.splat(0);
    let acc5 = i32x4.splat(0);
    let acc6 = i32x4.splat(0);
    let acc7 = i32x4.splat(0);
    let cell = panel + UNPACKED_CELLS + half * 128;
    for (const end = xb + span; xb < end; xb += 8, cell += 32) {
      const w0 = v128.load8x8_s(cell);
      const w1 = v128.load8x8_s(cell, 8);
      const a0 = v128.load64_splat(xb);
      acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(w0, a0));
      acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(w1, a0));
      const a1 = v128.load64_splat(xb + row);
      acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(w0, a1));
      acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(w1, a1));
      const a2 = v128.load64_splat(xb + 2 * row);
      acc4 = i32x4.add(acc4, i32x4.dot_i16x8_s(w0, a2));
      acc5 = i32x4.add(acc5, i32x4.dot_i16x8_s(w1, a2));
      const a3 = v128.load64_splat(xb + 3 * row);
      acc6 = i32x4.add(acc6, i32x4.dot_i16x8_s(w0, a3));
      acc7 = i32x4.add(acc7, i32x4.dot_i16x8_s(w1, a3));
    }
    const p = panel + half * 32;
    sum0 = accumulate(sum0, addPairs(acc0, acc1), p, s, sums, minimums, halves);
    sum1 = accumulate(sum1, addPairs(acc2, acc3), p, s + row, sums + row, minimums, halves);
    sum2 = accumulate(sum2, addPairs(acc4, acc5), p, s + 2 * row, sums + 2 * row, minimums, halves);
    sum3 = accumulate(sum3, addPairs(acc6, acc7), p, s + 3 * row, sums + 3 * row, minimums, halves);
    if (halves) {
      sums += 4;
      half ^= 1;
      if (half != 0) continue;
    } else sums += 8;
    s += 4;
    panel += UNPACKED_BLOCK;
  }
  v128.store(y, sum0);
  v128.store(y + stride, sum1);
  v128.store(y + 2 * stride, sum2);
  v128.store(y + 3 * stride, sum3);
}

/** 8 outputs of one token. */
// @ts-ignore: decorator
@inline
export function multiplyToken(
  y: usize,
  panel: usize,
  x: usize,
  cols: i32,
  halves: bool,
  minimums: bool,
): void {
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  const span: usize = halves ? 32 : 64;
  const scales = x + (<usize>cols << 1);
  let s = scales;
  let sums = s + (<usize>cols >> 3);
  let half: usize = 0;
  for (let xb = x; xb < scales; ) {
    let acc0 = i32x4.splat(0);
    let acc1 = i32x4.splat(0);
    let acc2 = i32x4.splat(0);
    let acc3 = i32x4.splat(0);
    let cell = panel + UNPACKED_CELLS + half * 128;
    for (const end = xb + span; xb < end; xb += 8, cell += 32) {
      const a = v128.load64_splat(xb);
      acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(v128.load8x8_s(cell), a));
      acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(v128.load8x8_s(cell, 8), a));
      acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(v128.load8x8_s(cell, 16), a));
      acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(v128.load8x8_s(cell, 24), a));
    }
    const p = panel + half * 32;
    sum0 = accumulate(sum0, addPairs(acc0, acc1), p, s, sums, minimums, halves);
    sum1 = accumulate(sum1, addPairs(acc2, acc3), p + 16, s, sums, minimums, halves);
    if (halves) {
      sums += 4;
      half ^= 1;
      if (half != 0) continue;
    } else sums += 8;
    s += 4;
    panel += UNPACKED_BLOCK;
  }
  v128.store(y, sum0);
  v128.store(y, sum1, 16);
}
