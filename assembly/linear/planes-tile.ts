// The inner loop of matmul-planes.ts: 8 outputs of a tile of tokens, of an unpacked panel
// (layout.ts).

import { dot8 } from "../lanes";
import { UNPACKED_BLOCK, UNPACKED_CELLS } from "./layout";
import { recordBytes, startOffset, tileBytes } from "./planes";
import { signedMask } from "../reading";

/** 8 outputs of a tile's tokens: a dot's four lanes are four outputs of one stream. */
// @ts-ignore: decorator
@inline
export function multiplyTile(
  y: usize,
  stride: usize,
  tokens: i32,
  panel: usize,
  x: usize,
  cols: i32,
  planes: i32,
  halves: bool,
  minimums: bool,
): void {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let sum4 = sum0;
  let sum5 = sum0;
  let sum6 = sum0;
  let sum7 = sum0;
  const zero = i32x4.splat(0);
  const span: usize = halves ? 64 : 128;
  const parts: usize = halves ? 2 : 1;
  for (const end = x + tileBytes(planes, cols); x < end; panel += UNPACKED_BLOCK) {
    const scales = v128.load(x);
    const sums = x + (planes == 1 ? 32 : 16);
    let values = x + recordBytes(planes) - 128;
    let cell = panel + UNPACKED_CELLS;
    for (let half: usize = 0; half < parts; half++) {
      const start = halves
        ? startOf(totalOf(sums, half, planes, halves))
        : v128.load(x + startOffset(planes));
      // planes 1: the dots of t0, t1, t2, t3; planes 2: of t0 high, t0 low, t1 high, t1 low.
      let acc0 = planes == 1 ? splat(start, 0) : zero;
      let acc1 = acc0;
      let acc2 = planes == 1 ? splat(start, 1) : splat(start, 0);
      let acc3 = acc2;
      let acc4 = planes == 1 ? splat(start, 2) : zero;
      let acc5 = acc4;
      let acc6 = planes == 1 ? splat(start, 3) : splat(start, 1);
      let acc7 = acc6;
      for (const valuesEnd = values + span; values < valuesEnd; values += 16, cell += 32) {
        const w0 = v128.load(cell);
        const w1 = v128.load(cell, 16);
        const a = v128.load(values);
        const a0 = splat(a, 0);
        acc0 = dot8(a0, w0, acc0);
        acc1 = dot8(a0, w1, acc1);
        const a1 = splat(a, 1);
        acc2 = dot8(a1, w0, acc2);
        acc3 = dot8(a1, w1, acc3);
        const a2 = splat(a, 2);
        acc4 = dot8(a2, w0, acc4);
        acc5 = dot8(a2, w1, acc5);
        const a3 = splat(a, 3);
        acc6 = dot8(a3, w0, acc6);
        acc7 = dot8(a3, w1, acc7);
      }
      const p = panel + half * 32;
      const scale0 = splat(scales, 0);
      const scale1 = splat(scales, 1);
      if (planes == 1) {
        const scale2 = splat(scales, 2);
        const scale3 = splat(scales, 3);
        sum0 = accumulate(sum0, acc0, scale0, p);
        sum1 = accumulate(sum1, acc1, scale0, p + 16);
        sum2 = accumulate(sum2, acc2, scale1, p);
        sum3 = accumulate(sum3, acc3, scale1, p + 16);
        sum4 = accumulate(sum4, acc4, scale2, p);
        sum5 = accumulate(sum5, acc5, scale2, p + 16);
        sum6 = accumulate(sum6, acc6, scale3, p);
        sum7 = accumulate(sum7, acc7, scale3, p + 16);
      } else {
        sum0 = accumulate(sum0, joinPlanes(acc0, acc2), scale0, p);
        sum1 = accumulate(sum1, joinPlanes(acc1, acc3), scale0, p + 16);
        sum2 = accumulate(sum2, joinPlanes(acc4, acc6), scale1, p);
        sum3 = accumulate(sum3, joinPlanes(acc5, acc7), scale1, p + 16);
      }
      if (!minimums) continue;
      const total = totalOf(sums, half, planes, halves);
      const weights = f32x4.mul(f32x4.convert_i32x4_s(total), scales);
      const weight0 = splat(weights, 0);
      const weight1 = splat(weights, 1);
      sum0 = addMinimum(sum0, p, weight0);
      sum1 = addMinimum(sum1, p + 16, weight0);
      sum2 = addMinimum(sum2, p, weight1);
      sum3 = addMinimum(sum3, p + 16, weight1);
      if (planes == 2) continue;
      const weight2 = splat(weights, 2);
      const weight3 = splat(weights, 3);
      sum4 = addMinimum(sum4, p, weight2);
      sum5 = addMinimum(sum5, p + 16, weight2);
      sum6 = addMinimum(sum6, p, weight3);
      sum7 = addMinimum(sum7, p + 16, weight3);
    }
    x += recordBytes(planes);
  }
  storeOutputs(y, sum0, sum1);
  if (tokens > 1) storeOutputs(y + stride, sum2, sum3);
  if (tokens > 2) storeOutputs(y + 2 * stride, sum4, sum5);
  if (tokens > 3) storeOutputs(y + 3 * stride, sum6, sum7);
}

/** The sums of a block's activations, or of one half's. */
// @ts-ignore: decorator
@inline
export function totalOf(sums: usize, half: usize, planes: i32, halves: bool): v128 {
  if (planes == 1 && halves) return v128.load(sums + half * 16);
  const both = v128.load(sums);
  if (planes == 1) return i32x4.add(both, v128.load(sums, 16));
  const second = v128.shuffle<i32>(both, both, 2, 3, 2, 3);
  if (halves) return half == 0 ? both : second;
  return i32x4.add(both, second);
}

/** What dots with cells that are 128 more begin with, as a record's start. */
// @ts-ignore: decorator
@inline
function startOf(total: v128): v128 {
  return v128.andnot(i32x4.neg(i32x4.shl(total, 7)), v128.load(signedMask()));
}

/**
 * sum + dots * weights' scale * activations' scale. Not with relaxed_madd: only one of V8's tiers
 * fuses it, so that results would change while a program runs.
 */
// @ts-ignore: decorator
@inline
export function accumulate(sum: v128, dots: v128, scale: v128, scales: usize): v128 {
  const product = f32x4.mul(v128.load(scales), scale);
  return f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(dots), product));
}

/** sum + minimum * sum of activations */
// @ts-ignore: decorator
@inline
export function addMinimum(sum: v128, scales: usize, weight: v128): v128 {
  return f32x4.add(sum, f32x4.mul(v128.load(scales, 64), weight));
}

/** 256 times the high plane's dots plus the low one's. */
// @ts-ignore: decorator
@inline
function joinPlanes(high: v128, low: v128): v128 {
  return i32x4.add(i32x4.shl(high, 8), low);
}

/** Lane i in all four. */
// @ts-ignore: decorator
@inline
export function splat(v: v128, i: i32): v128 {
  if (i == 0) return v128.shuffle<i32>(v, v, 0, 0, 0, 0);
  if (i == 1) return v128.shuffle<i32>(v, v, 1, 1, 1, 1);
  if (i == 2) return v128.shuffle<i32>(v, v, 2, 2, 2, 2);
  return v128.shuffle<i32>(v, v, 3, 3, 3, 3);
}

/** 8 outputs of one token. */
// @ts-ignore: decorator
@inline
function storeOutputs(y: usize, low: v128, high: v128): void {
  v128.store(y, low);
  v128.store(y, high, 16);
}
