// The low planes of split weights (split.ts), of those rows that an estimate leaves open.

import { addPairs, dot8, loadScaleX4, sumF32x4 } from "./lanes";
import { NIBBLES } from "./layout";
import { I16, S8 } from "./quantize";
import { lowRowBytes } from "./split";

/** Rows whose low planes are touched together, so that their first misses overlap. */
const AHEAD: i32 = 16;

/**
 * Adds the low planes to the estimates of some rows: y[r] is then as exact as matvecI16.
 *
 *   y      f32[rows]      in and out
 *   low    low rows
 *   x      one row of quantizeI16, n = cols
 *   list   u32[count]     rows, ascending, as estimateI16 wrote it
 */
export function refineI16(
  y: usize,
  low: usize,
  x: usize,
  list: usize,
  count: i32,
  cols: i32,
): void {
  refine(y, low, x, list, count, cols, I16);
}

/**
 * refineI16 on a row of quantizeS8, whose rounding counts for little here: low nibbles are a ninth
 * of a weight.
 */
export function refineS8(
  y: usize,
  low: usize,
  x: usize,
  list: usize,
  count: i32,
  cols: i32,
): void {
  refine(y, low, x, list, count, cols, S8);
}

// @ts-ignore: decorator
@inline
function refine(
  y: usize,
  low: usize,
  x: usize,
  list: usize,
  count: i32,
  cols: i32,
  form: i32,
): void {
  const rowBytes = lowRowBytes(cols);
  const blocks = <usize>(cols >> 5);
  const nibbles = v128.load(NIBBLES);
  const xScales = x + (<usize>cols << (form == I16 ? 1 : 0));
  const xSums = xScales + (blocks << 2);
  let touched = 0;
  for (let i = 0; i < count; i++) {
    if ((i & (AHEAD - 1)) == 0) {
      touched |= touch(low, rowBytes, list, i + AHEAD, min(i + 2 * AHEAD, count));
    }
    const r = load<usize>(list + (<usize>i << 2));
    const row = low + r * rowBytes;
    let sum = f32x4.splat(0);
    let middle = f32x4.splat(0);
    let xb = x;
    let w = row + 2 * blocks;
    for (let b: usize = 0; b < blocks; b += 4) {
      const scales = f32x4.mul(loadScaleX4(row + 2 * b), v128.load(xScales + 4 * b));
      const sums = xSums + 8 * b;
      const totals = addPairs(v128.load(sums), v128.load(sums, 16));
      middle = f32x4.add(middle, f32x4.mul(f32x4.convert_i32x4_s(totals), scales));
      let factors = scales;
      for (const end = w + 64; w < end; w += 16, xb += form == I16 ? 64 : 32) {
        const v = v128.load(w);
        const a = v128.and(v, nibbles);
        const b = v128.and(i16x8.shr_u(v, 4), nibbles);
        let acc = i32x4.splat(0);
        if (form == I16) {
          acc = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(a), v128.load(xb));
          acc = i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(a), v128.load(xb, 16)));
          acc = i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(b), v128.load(xb, 32)));
          acc = i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(b), v128.load(xb, 48)));
        } else {
          acc = dot8(v128.load(xb), a, acc);
          acc = dot8(v128.load(xb, 16), b, acc);
        }
        const factor = v128.shuffle<i32>(factors, factors, 0, 0, 0, 0);
        sum = f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(acc), factor));
        factors = v128.shuffle<i32>(factors, factors, 1, 2, 3, 0);
      }
    }
    const at = y + (r << 2);
    store<f32>(at, load<f32>(at) + (sumF32x4(sum) - 7.5 * sumF32x4(middle)));
  }
  // The loads ahead must have a use.
  if (touched == 0x7fffffff) store<f32>(y, NaN);
}

/** Loads a byte of every cache line of some rows. */
function touch(low: usize, rowBytes: usize, list: usize, first: i32, end: i32): i32 {
  let lines: u32 = 0;
  for (let i = first; i < end; i++) {
    const row = low + load<usize>(list + (<usize>i << 2)) * rowBytes;
    for (let at: usize = 0; at < rowBytes; at += 64) lines |= load<u8>(row + at);
  }
  return <i32>lines;
}
