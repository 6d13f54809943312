// The inner loop of matmul-planes.ts without the relaxed dot: 4 outputs of a tile of 4 tokens in
// one plane. On Arm it is smull, smlal and sadalp: half the cycles of products in 16 bits. The sums
// of a block are exact, and the results those of planes-tile.ts.

import { addPairs } from "../lanes";
import { UNPACKED_BLOCK, UNPACKED_CELLS } from "./layout";
import { recordBytes, tileBytes } from "./planes";
import { accumulate, addMinimum, splat, totalOf } from "./planes-tile";

/** 4 outputs of a tile: rows 4-7 have scales and cells 16 bytes after those of rows 0-3. */
// @ts-ignore: decorator
@inline
export function multiplyBytes(
  y: usize,
  stride: usize,
  tokens: i32,
  panel: usize,
  x: usize,
  cols: i32,
  halves: bool,
  minimums: bool,
): void {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  const zero = i32x4.splat(0);
  const span: usize = halves ? 64 : 128;
  const parts: usize = halves ? 2 : 1;
  for (const end = x + tileBytes(1, cols); x < end; panel += UNPACKED_BLOCK) {
    const scales = v128.load(x);
    const sums = x + 32;
    let values = x + recordBytes(1) - 128;
    let cell = panel + UNPACKED_CELLS;
    for (let half: usize = 0; half < parts; half++) {
      // Each token's sums of rows 0 and 1, then of rows 2 and 3.
      let low0 = zero;
      let high0 = zero;
      let low1 = zero;
      let high1 = zero;
      let low2 = zero;
      let high2 = zero;
      let low3 = zero;
      let high3 = zero;
      for (const valuesEnd = values + span; values < valuesEnd; values += 32, cell += 64) {
        const v = v128.load(cell);
        const w = v128.load(cell, 32);
        const a = v128.load(values);
        const b = v128.load(values, 16);
        const a0 = splat(a, 0);
        const b0 = splat(b, 0);
        low0 = addLow(low0, v, a0, w, b0);
        high0 = addHigh(high0, v, a0, w, b0);
        const a1 = splat(a, 1);
        const b1 = splat(b, 1);
        low1 = addLow(low1, v, a1, w, b1);
        high1 = addHigh(high1, v, a1, w, b1);
        const a2 = splat(a, 2);
        const b2 = splat(b, 2);
        low2 = addLow(low2, v, a2, w, b2);
        high2 = addHigh(high2, v, a2, w, b2);
        const a3 = splat(a, 3);
        const b3 = splat(b, 3);
        low3 = addLow(low3, v, a3, w, b3);
        high3 = addHigh(high3, v, a3, w, b3);
      }
      const p = panel + half * 32;
      sum0 = accumulate(sum0, addPairs(low0, high0), splat(scales, 0), p);
      sum1 = accumulate(sum1, addPairs(low1, high1), splat(scales, 1), p);
      sum2 = accumulate(sum2, addPairs(low2, high2), splat(scales, 2), p);
      sum3 = accumulate(sum3, addPairs(low3, high3), splat(scales, 3), p);
      if (!minimums) continue;
      const total = totalOf(sums, half, 1, halves);
      const weights = f32x4.mul(f32x4.convert_i32x4_s(total), scales);
      sum0 = addMinimum(sum0, p, splat(weights, 0));
      sum1 = addMinimum(sum1, p, splat(weights, 1));
      sum2 = addMinimum(sum2, p, splat(weights, 2));
      sum3 = addMinimum(sum3, p, splat(weights, 3));
    }
    x += recordBytes(1);
  }
  v128.store(y, sum0);
  if (tokens > 1) v128.store(y + stride, sum1);
  if (tokens > 2) v128.store(y + 2 * stride, sum2);
  if (tokens > 3) v128.store(y + 3 * stride, sum3);
}

/** sum + v a + w b of rows 0 and 1. Two products fit into 16 bits: |a|, |b| < 128. */
// @ts-ignore: decorator
@inline
function addLow(sum: v128, v: v128, a: v128, w: v128, b: v128): v128 {
  const products = i16x8.add(i16x8.extmul_low_i8x16_s(v, a), i16x8.extmul_low_i8x16_s(w, b));
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(products));
}

/** The same of rows 2 and 3. */
// @ts-ignore: decorator
@inline
function addHigh(sum: v128, v: v128, a: v128, w: v128, b: v128): v128 {
  const products = i16x8.add(i16x8.extmul_high_i8x16_s(v, a), i16x8.extmul_high_i8x16_s(w, b));
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(products));
}
