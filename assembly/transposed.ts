// y = W^T x: the absorbed query of latent attention, from the same packed kv_b that expands it.

import { addScaledF32 } from "./floats";
import { maxF32x4, sumF32x4 } from "./lanes";
import { F32, UNPACKED_BLOCK, UNPACKED_CELLS, hasHalves, hasMinimums, panelBytes } from "./layout";
import { unpackPanel } from "./unpack";

/**
 * y = W^T x
 *
 *   y         f32[cols]            out
 *   w         [rows, cols]         panels or float rows of `type`
 *   x         f32[rows]
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes; unused by float types
 *
 * Requires rows % 8 == 0, cols % 32 == 0. Packed types: x times the weights' scales is rounded to 16
 * bits with one scale for 8 rows, so that the error is below 2^-15 of their largest product.
 */
export function matvecTransposed(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  memory.fill(y, 0, <usize>cols << 2);
  if (type >= F32) {
    const step = <usize>cols << (type == F32 ? 2 : 1);
    for (let r = 0; r < rows; r++, w += step, x += 4) addScaledF32(y, w, type, load<f32>(x), cols);
    return;
  }
  const step = panelBytes(type, cols);
  const minimums = hasMinimums(type);
  for (let r = 0; r < rows; r += 8, w += step, x += 32) {
    unpackPanel(scratch, w, type, cols);
    if (hasHalves(type)) addPanel(y, scratch, x, cols, true, minimums);
    else addPanel(y, scratch, x, cols, false, minimums);
  }
}

/** Largest |x * scale| of an unpacked panel. */
// @ts-ignore: decorator
@inline
function largestProduct(panel: usize, panelEnd: usize, xLo: v128, xHi: v128, halves: bool): f32 {
  let lo = f32x4.splat(0);
  let hi = f32x4.splat(0);
  for (; panel < panelEnd; panel += UNPACKED_BLOCK) {
    lo = f32x4.max(lo, f32x4.abs(v128.load(panel)));
    hi = f32x4.max(hi, f32x4.abs(v128.load(panel, 16)));
    if (!halves) continue;
    lo = f32x4.max(lo, f32x4.abs(v128.load(panel, 32)));
    hi = f32x4.max(hi, f32x4.abs(v128.load(panel, 48)));
  }
  const products = f32x4.max(f32x4.mul(lo, f32x4.abs(xLo)), f32x4.mul(hi, f32x4.abs(xHi)));
  return maxF32x4(products);
}

/** y += 8 rows. */
// @ts-ignore: decorator
@inline
function addPanel(y: usize, panel: usize, x: usize, cols: i32, halves: bool, minimums: bool): void {
  const xLo = v128.load(x);
  const xHi = v128.load(x, 16);
  const panelEnd = panel + <usize>(cols >> 5) * UNPACKED_BLOCK;
  const largest = largestProduct(panel, panelEnd, xLo, xHi, halves);
  const inverse: f32 = largest == 0 ? 0 : 32767 / largest;
  const factor: f32 = inverse == Infinity ? 0 : inverse;
  const xLoScaled = f32x4.mul(xLo, f32x4.splat(factor));
  const xHiScaled = f32x4.mul(xHi, f32x4.splat(factor));
  const scale = f32x4.splat(largest / 32767);
  const span: usize = halves ? 64 : 128;
  let half: usize = 0;
  while (panel < panelEnd) {
    const scales = panel + half * 32;
    const a = i16x8.narrow_i32x4_s(
      i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(xLoScaled, v128.load(scales)))),
      i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(xHiScaled, v128.load(scales, 16)))),
    );
    const a01 = v128.shuffle<i32>(a, a, 0, 0, 0, 0);
    const a23 = v128.shuffle<i32>(a, a, 1, 1, 1, 1);
    const a45 = v128.shuffle<i32>(a, a, 2, 2, 2, 2);
    const a67 = v128.shuffle<i32>(a, a, 3, 3, 3, 3);
    let offset = f32x4.splat(0);
    if (minimums) {
      const m = f32x4.mul(xLo, v128.load(scales, 64));
      offset = f32x4.splat(sumF32x4(f32x4.add(m, f32x4.mul(xHi, v128.load(scales, 80)))));
    }
    let cell = panel + UNPACKED_CELLS + half * 128;
    for (const end = y + span; y < end; y += 16, cell += 32) {
      const t = pairRows(v128.load(cell));
      const l = pairRows(v128.load(cell, 16));
      const dots = i32x4.add(
        i32x4.add(
          i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(t), a01),
          i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(t), a23),
        ),
        i32x4.add(
          i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(l), a45),
          i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(l), a67),
        ),
      );
      const product = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(dots), scale), offset);
      v128.store(y, f32x4.add(v128.load(y), product));
    }
    if (halves) {
      half ^= 1;
      if (half != 0) continue;
    }
    panel += UNPACKED_BLOCK;
  }
}

/** A cell's rows in pairs: r0 and r1 take turns, then r2 and r3. */
// @ts-ignore: decorator
@inline
function pairRows(cell: v128): v128 {
  return v128.shuffle<i8>(cell, cell, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
}
