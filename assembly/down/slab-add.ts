// The inner loop of the sparse down-projection: a group's active neurons, in pairs.

import { loadScaleX4 } from "../lanes";
import { NIBBLES } from "../linear/layout";
import { END, FIRST, OUTPUTS } from "./slab-layout";

/**
 * Outputs first .. end of y += the pairs' neurons times their activations, times the scales [+
 * minimums]; 32 outputs at a time. A pair: address of neuron 0's int8[n], of neuron 1's, and their
 * two i16 activations.
 */
// @ts-ignore: decorator
@inline
export function addNeurons(
  y: usize,
  shape: usize,
  pairs: usize,
  pairsEnd: usize,
  scales: usize,
  activationScale: f32,
  activationSum: f32,
  kind: i32,
): void {
  const scale = f32x4.splat(activationScale);
  const total = f32x4.splat(activationSum);
  const n = <usize>load<i32>(shape, OUTPUTS);
  const last = <usize>load<i32>(shape, END);
  let o = <usize>load<i32>(shape, FIRST);
  const fifteen = v128.load(NIBBLES);
  const start = i32x4.splat(kind == NIBBLE_RUNS ? -8 * <i32>activationSum : 0);
  for (y += o << 2; o < last; o += 32, y += 128) {
    const at = kind == NIBBLE_RUNS ? o >> 1 : o;
    let acc0 = start;
    let acc1 = start;
    let acc2 = start;
    let acc3 = start;
    let acc4 = start;
    let acc5 = start;
    let acc6 = start;
    let acc7 = start;
    for (let p = pairs; p < pairsEnd; p += 12) {
      const r0 = load<usize>(p) + at;
      const r1 = load<usize>(p, 4) + at;
      const a = v128.load32_splat(p, 8);
      const n0 = v128.load(r0);
      const n1 = v128.load(r1);
      const u0 = kind == NIBBLE_RUNS ? v128.and(n0, fifteen) : n0;
      const u1 = kind == NIBBLE_RUNS ? v128.and(n1, fifteen) : n1;
      const lo = v128.shuffle<i8>(u0, u1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(lo), a));
      acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(lo), a));
      const hi = v128.shuffle<i8>(
        u0, u1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
      );
      acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(hi), a));
      acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(hi), a));
      const v0 = kind == NIBBLE_RUNS ? v128.and(i16x8.shr_u(n0, 4), fifteen) : v128.load(r0, 16);
      const v1 = kind == NIBBLE_RUNS ? v128.and(i16x8.shr_u(n1, 4), fifteen) : v128.load(r1, 16);
      const lo2 = v128.shuffle<i8>(v0, v1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      acc4 = i32x4.add(acc4, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(lo2), a));
      acc5 = i32x4.add(acc5, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(lo2), a));
      const hi2 = v128.shuffle<i8>(
        v0, v1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
      );
      acc6 = i32x4.add(acc6, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(hi2), a));
      acc7 = i32x4.add(acc7, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(hi2), a));
    }
    addScaledDots(y, acc0, scales, o, n, scale, total, kind);
    addScaledDots(y + 16, acc1, scales, o + 4, n, scale, total, kind);
    addScaledDots(y + 32, acc2, scales, o + 8, n, scale, total, kind);
    addScaledDots(y + 48, acc3, scales, o + 12, n, scale, total, kind);
    addScaledDots(y + 64, acc4, scales, o + 16, n, scale, total, kind);
    addScaledDots(y + 80, acc5, scales, o + 20, n, scale, total, kind);
    addScaledDots(y + 96, acc6, scales, o + 24, n, scale, total, kind);
    addScaledDots(y + 112, acc7, scales, o + 28, n, scale, total, kind);
  }
}

/**
 * How addNeurons finds scales: f16 as in the slab, or f32 with minimums n floats further.
 * NIBBLE_RUNS: the neurons are nibbles + 8 as in slabs of Q4, with f16 scales.
 */
export const F16_SCALES: i32 = 0;
export const F32_SCALES: i32 = 1;
export const NIBBLE_RUNS: i32 = 2;

/** Four outputs of addNeurons. */
// @ts-ignore: decorator
@inline
function addScaledDots(
  y: usize,
  dots: v128,
  scales: usize,
  o: usize,
  n: usize,
  scale: v128,
  total: v128,
  kind: i32,
): void {
  const weightScale = kind == F32_SCALES ? v128.load(scales + 4 * o) : loadScaleX4(scales + 2 * o);
  const product = f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.mul(weightScale, scale));
  let sum = f32x4.add(v128.load(y), product);
  if (kind == F32_SCALES) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(scales + 4 * n + 4 * o), total));
  }
  v128.store(y, sum);
}
