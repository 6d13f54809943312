// y = W^T x: the absorbed query of latent attention. Packed keys are packed a second time for it,
// transposed, so that this product is one of rows as well.
//
//   absorbed keys of W [rows, cols], one head's
//   +----------------------------------------------------------------------------------------+
//   |  f32 scale[cols / width][rows]      width: 32 columns that share a row's scale, or 16  |
//   |  f32 minimum[cols / width][rows]    types with minimums only                           |
//   |  cells of u8 (value + 128)          as of Q8 panels (layout.ts): 8 columns together,   |
//   |                                     rows are their inputs, padded to 32 by any values  |
//   +----------------------------------------------------------------------------------------+

import { addScaledF32 } from "./floats";
import { maxF32x4, roundToI16, sumF32x4 } from "./lanes";
import {
  F32,
  Q8,
  UNPACKED_BLOCK,
  UNPACKED_CELLS,
  hasHalves,
  hasMinimums,
  panelBytes,
} from "./layout";
import { multiply } from "./matvec";
import { I16, S8X2, factorFor, rowBytesI16, storeRounded } from "./quantize";
import { unpackPanel } from "./unpack";

/** Columns that share a row's scale. */
// @ts-ignore: decorator
@inline
function columnsPerScale(type: i32): i32 {
  return hasHalves(type) ? 16 : 32;
}

/** Inputs of a column's product: all rows, padded. */
// @ts-ignore: decorator
@inline
function paddedInputs(rows: i32): i32 {
  return (rows + 31) & ~31;
}

/**
 * y = W^T x with float weights.
 *
 *   y   f32[cols]      out
 *   w   [rows, cols]   row-major, of `type` (F32, F16 or BF16)
 *   x   f32[rows]
 *
 * Requires cols % 4 == 0.
 */
export function absorbF32(y: usize, w: usize, type: i32, x: usize, rows: i32, cols: i32): void {
  memory.fill(y, 0, <usize>cols << 2);
  const step = <usize>cols << (type == F32 ? 2 : 1);
  for (let r = 0; r < rows; r++, w += step, x += 4) addScaledF32(y, w, type, load<f32>(x), cols);
}

/**
 * y = W^T x with absorbed keys.
 *
 *   y         f32[cols]       out
 *   w         absorbed keys   of panels of `type`
 *   x         f32[rows]
 *   scratch   cols / 16 * (4 * inputs + rowBytesI16(inputs)) bytes, inputs: rows padded to 32
 *
 * Requires rows % 8 == 0, cols % 32 == 0. x times the scales of a block of columns is rounded as
 * quantizeI16 rounds: 32 rows share a scale.
 */
export function absorbI16(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  absorb(y, w, type, x, rows, cols, scratch, I16);
}

/** absorbI16 with x in form S8X2; for engines whose relaxed dot reads u8 (probe.ts). */
export function absorbS8X2(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  absorb(y, w, type, x, rows, cols, scratch, S8X2);
}

// @ts-ignore: decorator
@inline
function absorb(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  rows: i32,
  cols: i32,
  scratch: usize,
  form: i32,
): void {
  const width = columnsPerScale(type);
  const inputs = paddedInputs(rows);
  const blocks = cols / width;
  const padded = scratch + <usize>blocks * rowBytesI16(inputs);
  memory.fill(padded, 0, <usize>inputs << 2);
  memory.copy(padded, x, <usize>rows << 2);
  const most: f32 = form == I16 ? 32767 : 32639;
  scaleRows(padded, w, inputs, blocks, most);
  const tableBytes = <usize>(blocks * inputs) << 2;
  w += <usize>inputs << 2;
  roundRows(scratch, padded, w, inputs, blocks, form);
  w += tableBytes;
  const minimums = w;
  if (hasMinimums(type)) w += tableBytes;
  for (let b = 0; b < blocks; b++, y += <usize>width << 2, w += <usize>(width * inputs)) {
    multiply(y, w, Q8, scratch + <usize>b * rowBytesI16(inputs), width, inputs, form, false, 0);
    if (hasMinimums(type)) addMinimums(y, minimums + (<usize>(b * inputs) << 2), padded, inputs, width);
  }
}

/** x with each 32 inputs' factor and scale after it. */
function scaleRows(x: usize, most: usize, inputs: i32, blocks: i32, top: f32): void {
  let factors = x + (<usize>inputs << 2);
  for (const end = factors; x < end; x += 128, most += 128, factors += 8) {
    let largest = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) {
      const product = f32x4.mul(v128.load(x + i), v128.load(most + i));
      largest = f32x4.max(largest, f32x4.abs(product));
    }
    const m = maxF32x4(largest);
    store<f32>(factors, f32x4.extract_lane(factorFor(m, top), 0));
    store<f32>(factors, m / top, 4);
  }
}

/** Rows of a form: x * scales rounded, a row for each block. */
// @ts-ignore: decorator
@inline
function roundRows(
  to: usize,
  x: usize,
  scales: usize,
  inputs: i32,
  blocks: i32,
  form: i32,
): void {
  for (let b = 0; b < blocks; b++) {
    const end = to + (<usize>inputs << 1);
    let toScale = end;
    let toSum = end + (<usize>inputs >> 3);
    let xb = x;
    let factors = x + (<usize>inputs << 2);
    for (; to < end; factors += 8, toScale += 4) {
      const factor = v128.load32_splat(factors);
      store<f32>(toScale, load<f32>(factors, 4));
      for (let half = 0; half < 2; half++, xb += 64, scales += 64, to += 32, toSum += 4) {
        const first = roundToI16(product4(xb, scales), product4(xb + 16, scales + 16), factor);
        const second = roundToI16(
          product4(xb + 32, scales + 32),
          product4(xb + 48, scales + 48),
          factor,
        );
        storeRounded(to, toSum, first, second, form);
      }
    }
    to = toSum;
  }
}

/** Products of four f32. */
// @ts-ignore: decorator
@inline
function product4(a: usize, b: usize): v128 {
  return f32x4.mul(v128.load(a), v128.load(b));
}

/** y[width] += the sum of x * minimums. */
function addMinimums(y: usize, minimums: usize, x: usize, inputs: i32, width: i32): void {
  let sum = f32x4.splat(0);
  for (const end = x + (<usize>inputs << 2); x < end; x += 16, minimums += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x), v128.load(minimums)));
  }
  const offset = f32x4.splat(sumF32x4(sum));
  for (const end = y + (<usize>width << 2); y < end; y += 16) {
    v128.store(y, f32x4.add(v128.load(y), offset));
  }
}

/**
 * Absorbed keys of one head.
 *
 *   to        absorbed keys        out
 *   w         panels[rows, cols]   of `type`, not a float type
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes
 *
 * Requires rows % 8 == 0, cols % 32 == 0 (256 for K types).
 */
export function packAbsorbed(
  to: usize,
  w: usize,
  type: i32,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  const halves: usize = hasHalves(type) ? 2 : 1;
  const inputs = <usize>paddedInputs(rows);
  const most = to;
  const table = most + (inputs << 2);
  const tableBytes = <usize>(cols >> 5) * halves * (inputs << 2);
  const scratchEnd = scratch + <usize>(cols >> 5) * UNPACKED_BLOCK;
  let cells = table + (hasMinimums(type) ? 2 * tableBytes : tableBytes);
  memory.fill(most, 0, cells - most);
  for (let r: usize = 0; r < <usize>rows; r += 8, w += panelBytes(type, cols), cells += 64) {
    unpackPanel(scratch, w, type, cols, 0x80);
    const largest = most + (r << 2);
    let scales = table + (r << 2);
    let column = cells;
    for (let block = scratch; block < scratchEnd; block += UNPACKED_BLOCK) {
      for (let half: usize = 0; half < halves; half++, scales += inputs << 2) {
        copy8(scales, block + 32 * half);
        keepLargest(largest, scales);
        keepLargest(largest + 16, scales + 16);
        if (hasMinimums(type)) copy8(scales + tableBytes, block + 64 + 32 * half);
      }
      for (let i = UNPACKED_CELLS; i < UNPACKED_BLOCK; i += 64, column += inputs << 3) {
        storeTransposed(column, block + i);
        storeTransposed(column + 16, block + i + 32);
        storeTransposed(column + 32, block + i + 16);
        storeTransposed(column + 48, block + i + 48);
      }
    }
  }
}

/** Four largest magnitudes, of those so far and new ones. */
// @ts-ignore: decorator
@inline
function keepLargest(to: usize, from: usize): void {
  v128.store(to, f32x4.max(v128.load(to), f32x4.abs(v128.load(from))));
}

/** 8 f32. */
// @ts-ignore: decorator
@inline
function copy8(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

/** A cell of 4 x 4 values, its inputs as rows. */
// @ts-ignore: decorator
@inline
function storeTransposed(to: usize, cell: usize): void {
  const v = v128.load(cell);
  v128.store(to, v128.shuffle<i8>(v, v, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}
