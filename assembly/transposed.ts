// y = W^T x: the absorbed query of latent attention, from the same packed kv_b that expands it.

import { addScaledF32 } from "./floats";
import { loadScaleX4, maxF32x4, pairHigh, pairLow, roundToI16, sumF32x4 } from "./lanes";
import {
  F32,
  Q8,
  Q8K,
  UNPACKED_BLOCK,
  UNPACKED_CELLS,
  panelBytes,
} from "./layout";
import { unpackPanel } from "./unpack";

/**
 * y = W^T x
 *
 *   y         f32[cols]            out
 *   w         [rows, cols]         panels or float rows of `type`
 *   x         f32[rows]
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes and rows / 2 (Q8); unused by float types
 *
 * Requires rows % 8 == 0, cols % 32 == 0. Packed types: x times the weights' scales is rounded to
 * 16 bits with one scale for 8 rows: a row's error is below 2^-15 of the largest |x * scale| among
 * them, times its own integer.
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
  if (type == Q8) {
    // The scales of all panels first: one stream, which brings the rest of them on its way.
    for (let r: usize = 0; r < <usize>rows; r += 8) {
      const panel = w + (r >> 3) * step;
      store<f32>(scratch + (r >> 1), largestProduct(panel, step, x + (r << 2), Q8));
    }
    for (let r = 0; r < rows; r += 8, w += step, x += 32, scratch += 4) {
      addPanel(y, w, step, x, load<f32>(scratch), Q8);
    }
    return;
  }
  const unpackedBytes = <usize>(cols >> 5) * UNPACKED_BLOCK;
  for (let r = 0; r < rows; r += 8, w += step, x += 32) {
    unpackPanel(scratch, w, type, cols, 0);
    const largest = largestProduct(scratch, unpackedBytes, x, Q8K);
    addPanel(y, scratch, unpackedBytes, x, largest, Q8K);
  }
}

// Panels are read as they are (Q8), or unpacked, as Q8K: with a scale for each half of a block.

/** Four scales of a block. */
// @ts-ignore: decorator
@inline
function loadScales(block: usize, i: usize, form: i32): v128 {
  return form == Q8 ? loadScaleX4(block + 2 * i) : v128.load(block + 4 * i);
}

/** Largest |x * scale| of a panel of `bytes` bytes. */
// @ts-ignore: decorator
@inline
function largestProduct(panel: usize, bytes: usize, x: usize, form: i32): f32 {
  let lo = f32x4.splat(0);
  let hi = f32x4.splat(0);
  for (const end = panel + bytes; panel < end; panel += form == Q8 ? 272 : UNPACKED_BLOCK) {
    lo = f32x4.pmax(lo, f32x4.abs(loadScales(panel, 0, form)));
    hi = f32x4.pmax(hi, f32x4.abs(loadScales(panel, 4, form)));
    if (form != Q8K) continue;
    lo = f32x4.pmax(lo, f32x4.abs(loadScales(panel, 8, form)));
    hi = f32x4.pmax(hi, f32x4.abs(loadScales(panel, 12, form)));
  }
  const low = f32x4.mul(lo, f32x4.abs(v128.load(x)));
  return maxF32x4(f32x4.max(low, f32x4.mul(hi, f32x4.abs(v128.load(x, 16)))));
}

/** y += 8 rows. */
// @ts-ignore: decorator
@inline
function addPanel(
  y: usize,
  panel: usize,
  bytes: usize,
  x: usize,
  largest: f32,
  form: i32,
): void {
  const xLo = v128.load(x);
  const xHi = v128.load(x, 16);
  const blockBytes: usize = form == Q8 ? 272 : UNPACKED_BLOCK;
  const panelEnd = panel + bytes;
  const inverse: f32 = largest == 0 ? 0 : 32767 / largest;
  const factors = f32x4.splat(inverse == Infinity ? 0 : inverse);
  const scale = f32x4.splat(largest / 32767);
  const span: usize = form == Q8K ? 64 : 128;
  let half: usize = 0;
  while (panel < panelEnd) {
    const scales = panel + half * 32;
    const aLo = f32x4.mul(xLo, loadScales(scales, 0, form));
    const aHi = f32x4.mul(xHi, loadScales(scales, 4, form));
    const a = roundToI16(aLo, aHi, factors);
    const a01 = v128.shuffle<i32>(a, a, 0, 0, 0, 0);
    const a23 = v128.shuffle<i32>(a, a, 1, 1, 1, 1);
    const a45 = v128.shuffle<i32>(a, a, 2, 2, 2, 2);
    const a67 = v128.shuffle<i32>(a, a, 3, 3, 3, 3);
    let offset = f32x4.splat(0);
    if (form == Q8K) {
      const m = f32x4.mul(xLo, v128.load(scales, 64));
      offset = f32x4.splat(sumF32x4(f32x4.add(m, f32x4.mul(xHi, v128.load(scales, 80)))));
    }
    let cell = panel + (form == Q8 ? 16 : UNPACKED_CELLS + half * 128);
    for (const end = y + span; y < end; y += 32, cell += 64) {
      const left0 = load8(form, cell);
      const right0 = load8(form, cell, 32);
      const even0 = v128.shuffle<i64>(left0, right0, 0, 2);
      const odd0 = v128.shuffle<i64>(left0, right0, 1, 3);
      let low = i32x4.dot_i16x8_s(pairLow(even0, odd0), a01);
      let high = i32x4.dot_i16x8_s(pairHigh(even0, odd0), a01);
      const left1 = load8(form, cell, 8);
      const right1 = load8(form, cell, 40);
      const even1 = v128.shuffle<i64>(left1, right1, 0, 2);
      const odd1 = v128.shuffle<i64>(left1, right1, 1, 3);
      low = i32x4.add(low, i32x4.dot_i16x8_s(pairLow(even1, odd1), a23));
      high = i32x4.add(high, i32x4.dot_i16x8_s(pairHigh(even1, odd1), a23));
      const left2 = load8(form, cell, 16);
      const right2 = load8(form, cell, 48);
      const even2 = v128.shuffle<i64>(left2, right2, 0, 2);
      const odd2 = v128.shuffle<i64>(left2, right2, 1, 3);
      low = i32x4.add(low, i32x4.dot_i16x8_s(pairLow(even2, odd2), a45));
      high = i32x4.add(high, i32x4.dot_i16x8_s(pairHigh(even2, odd2), a45));
      const left3 = load8(form, cell, 24);
      const right3 = load8(form, cell, 56);
      const even3 = v128.shuffle<i64>(left3, right3, 0, 2);
      const odd3 = v128.shuffle<i64>(left3, right3, 1, 3);
      low = i32x4.add(low, i32x4.dot_i16x8_s(pairLow(even3, odd3), a67));
      high = i32x4.add(high, i32x4.dot_i16x8_s(pairHigh(even3, odd3), a67));
      addDots(y, low, scale, offset);
      addDots(y + 16, high, scale, offset);
    }
    if (form == Q8K) {
      half ^= 1;
      if (half != 0) continue;
    }
    panel += blockBytes;
  }
}

/** Eight values of a cell. */
// @ts-ignore: decorator
@inline
function load8(form: i32, cell: usize, offset: usize = 0): v128 {
  if (form == Q8) return i16x8.sub(v128.load8x8_u(cell + offset), i16x8.splat(128));
  return v128.load8x8_s(cell + offset);
}

/** y += dots * scale + offset, four columns. */
// @ts-ignore: decorator
@inline
function addDots(y: usize, dots: v128, scale: v128, offset: v128): void {
  const product = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(dots), scale), offset);
  v128.store(y, f32x4.add(v128.load(y), product));
}
