// y = W^T x: the absorbed query of latent attention. Keys are packed a second time for it,
// transposed, so that this product is one of rows as well.
//
//   absorbed keys of W [rows, cols], one head's
//   +----------------------------------------------------------------------------------------+
//   |  f32 most[inputs]                   a row's largest |scale|, times 32768 / 32639       |
//   |  i16 scale[cols / width][inputs]    32768 scale / most; 32 columns share one, or 16    |
//   |  f32 minimum[cols / width][inputs]  types with minimums only                           |
//   |  cells                              as of Q8 panels (layout.ts): 8 columns together,   |
//   |                                     rows are their inputs                              |
//   +----------------------------------------------------------------------------------------+
//
// inputs are rows, padded to 32 by zeros, in cells by any values. No scale is above 32639, so that
// its products fit into two planes.

import { addScaledF32 } from "./floats";
import { sumF32x4 } from "../lanes";
import {
  F32,
  hasHalves,
  hasMinimums,
} from "./layout";
import { CELLS, multiply } from "./matvec";
import { I16, S8X2, quantizeI16, rowBytesI16, storeRounded } from "./quantize";

/** Columns that share a row's scale. */
// @ts-ignore: decorator
@inline
function columnsPerScale(type: i32): i32 {
  return hasHalves(type) ? 16 : 32;
}

/** Inputs of a column's product: all rows, padded. */
// @ts-ignore: decorator
@inline
export function paddedInputs(rows: i32): i32 {
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
 *   scratch   cols / 16 * rowBytesI16(inputs) + 4 * inputs + rowBytesI16(inputs) bytes
 *
 * Requires rows % 8 == 0, cols % 32 == 0. x times a row's largest scale is rounded as quantizeI16
 * rounds; the other scales are rounded to 16 bits of the largest, and their products with x too.
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

/** absorbI16 with x in form S8X2, with the relaxed dot (reading.ts). */
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
  const rounded = scratch + <usize>blocks * rowBytesI16(inputs);
  const padded = rounded + rowBytesI16(inputs);
  const inputBytes = <usize>inputs << 2;
  for (let i: usize = 0; i < inputBytes; i += 16) {
    v128.store(padded + i, i < <usize>rows << 2 ? product4(x + i, w + i) : f32x4.splat(0));
  }
  quantizeI16(rounded, padded, 1, inputs);
  w += inputBytes;
  scaleRows(scratch, rounded, w, inputs, blocks, form);
  w += <usize>blocks * (inputBytes >> 1);
  const minimums = w;
  if (hasMinimums(type)) w += <usize>blocks * inputBytes;
  for (let b = 0; b < blocks; b++, y += <usize>width << 2, w += <usize>(width * inputs)) {
    multiply(y, w, CELLS, scratch + <usize>b * rowBytesI16(inputs), width, inputs, form);
    if (hasMinimums(type)) addMinimums(y, minimums + <usize>b * inputBytes, x, rows, width);
  }
}

/** Rows of a form, one for each block of columns: those at x, times its scales. */
// @ts-ignore: decorator
@inline
function scaleRows(
  to: usize,
  x: usize,
  scales: usize,
  inputs: i32,
  blocks: i32,
  form: i32,
): void {
  const xScales = x + (<usize>inputs << 1);
  for (let b = 0; b < blocks; b++) {
    const toScales = to + (<usize>inputs << 1);
    let toSum = toScales + (<usize>inputs >> 3);
    for (let i: usize = 0; i < <usize>inputs >> 3; i += 4) {
      store<f32>(toScales + i, load<f32>(xScales + i));
    }
    for (let xb = x; to < toScales; xb += 32, scales += 32, to += 32, toSum += 4) {
      const first = i16x8.q15mulr_sat_s(v128.load(xb), v128.load(scales));
      const second = i16x8.q15mulr_sat_s(v128.load(xb, 16), v128.load(scales, 16));
      storeRounded(to, toSum, first, second, form);
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
function addMinimums(y: usize, minimums: usize, x: usize, rows: i32, width: i32): void {
  let sum = f32x4.splat(0);
  for (const end = x + (<usize>rows << 2); x < end; x += 16, minimums += 16) {
    sum = f32x4.add(sum, product4(x, minimums));
  }
  const offset = f32x4.splat(sumF32x4(sum));
  for (const end = y + (<usize>width << 2); y < end; y += 16) {
    v128.store(y, f32x4.add(v128.load(y), offset));
  }
}
