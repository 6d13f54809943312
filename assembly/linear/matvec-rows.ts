// Y = X W^T for the tokens of several sequences that decode together: each row with the bits of
// matvec.ts. A panel stays in the first-level cache while tiles of tokens pass over it.

import { COLS, Q4, Q4K, Q4M, Q8, ROWS, STRIDE, panelBytes } from "./layout";
import { matvecI16, matvecS8X2 } from "./matvec";
import { multiplyTile } from "./matvec-tile";
import { I16, S8X2, rowBytesI16 } from "./quantize";

/**
 * Y = X W^T, each row as matvecI16 computes it.
 *
 *   y       f32[n, rows]          out, its rows `stride` apart
 *   w       panels[rows, cols]    of `type`, layout.ts: Q8, Q4, Q4M or Q4K
 *   x       n rows of quantizeI16(cols)
 *   shape   ProductShape, layout.ts
 *
 * Requires what matvecI16 requires. A row of Y does not depend on n, bit for bit.
 */
export function matvecRowsI16(y: usize, w: usize, type: i32, x: usize, shape: usize): void {
  if (type == Q8) multiplyRows(y, w, Q8, x, shape, I16);
  else if (type == Q4) multiplyRows(y, w, Q4, x, shape, I16);
  else if (type == Q4M) multiplyRows(y, w, Q4M, x, shape, I16);
  else multiplyRows(y, w, Q4K, x, shape, I16);
}

/**
 * matvecRowsI16 on rows of quantizeS8X2, each as matvecS8X2 computes it; without Q4M.
 *
 * Each type has a function of its own: in one function the compiler folds the 4-bit types into code
 * that looks at the type in its inner loop, and takes 1.2 times as long.
 */
export function matvecRowsS8X2(y: usize, w: usize, type: i32, x: usize, shape: usize): void {
  if (type == Q8) multiplyQ8(y, w, x, shape);
  else if (type == Q4) multiplyQ4(y, w, x, shape);
  else multiplyQ4K(y, w, x, shape);
}

function multiplyQ8(y: usize, w: usize, x: usize, shape: usize): void {
  multiplyRows(y, w, Q8, x, shape, S8X2);
}

function multiplyQ4(y: usize, w: usize, x: usize, shape: usize): void {
  multiplyRows(y, w, Q4, x, shape, S8X2);
}

function multiplyQ4K(y: usize, w: usize, x: usize, shape: usize): void {
  multiplyRows(y, w, Q4K, x, shape, S8X2);
}

/** Tiles of 4 tokens, then of 2, then a single one. */
// @ts-ignore: decorator
@inline
function multiplyRows(y: usize, w: usize, type: i32, x: usize, shape: usize, form: i32): void {
  const n = load<i32>(shape);
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const row = rowBytesI16(cols);
  const step = panelBytes(type, cols);
  for (let r = 0; r < rows; r += 8, w += step, y += 32) {
    let to = y;
    let from = x;
    let left = n;
    for (; left >= 4; left -= 4, to += 4 * stride, from += 4 * row) {
      multiplyTile(to, stride, w, type, from, row, cols, form, 4);
    }
    if (left >= 2) {
      multiplyTile(to, stride, w, type, from, row, cols, form, 2);
      to += 2 * stride;
      from += 2 * row;
    }
    if ((left & 1) == 0) continue;
    if (form == I16) matvecI16(to, w, type, from, 8, cols);
    else matvecS8X2(to, w, type, from, 8, cols);
  }
}
