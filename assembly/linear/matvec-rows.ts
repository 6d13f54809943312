// Y = X W^T for the tokens of several sequences that decode together: each row with the bits of
// matvec.ts. A panel stays in the first-level cache while tiles of tokens pass over it.

import { COLS, Q4, Q4K, Q4M, Q8, ROWS, STRIDE, panelBytes } from "./layout";
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
  const n = load<i32>(shape);
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const row = rowBytesI16(cols);
  const step = panelBytes(type, cols);
  for (let r = 0; r < rows; r += 8, w += step, y += 32) {
    let to = y;
    let from = x;
    for (let left = n; left > 0; left -= 4, to += 4 * stride, from += 4 * row) {
      if (type == Q8) {
        if (left > 2) multiplyTile(to, stride, w, Q8, from, row, left, cols, I16, 4);
        else multiplyTile(to, stride, w, Q8, from, row, left, cols, I16, 2);
      } else if (type == Q4) {
        if (left > 2) multiplyTile(to, stride, w, Q4, from, row, left, cols, I16, 4);
        else multiplyTile(to, stride, w, Q4, from, row, left, cols, I16, 2);
      } else if (type == Q4M) {
        if (left > 2) multiplyTile(to, stride, w, Q4M, from, row, left, cols, I16, 4);
        else multiplyTile(to, stride, w, Q4M, from, row, left, cols, I16, 2);
      } else {
        if (left > 2) multiplyTile(to, stride, w, Q4K, from, row, left, cols, I16, 4);
        else multiplyTile(to, stride, w, Q4K, from, row, left, cols, I16, 2);
      }
    }
  }
}

/** matvecRowsI16 on rows of quantizeS8X2, each as matvecS8X2 computes it; without Q4M. */
export function matvecRowsS8X2(y: usize, w: usize, type: i32, x: usize, shape: usize): void {
  const n = load<i32>(shape);
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const row = rowBytesI16(cols);
  const step = panelBytes(type, cols);
  for (let r = 0; r < rows; r += 8, w += step, y += 32) {
    let to = y;
    let from = x;
    for (let left = n; left > 0; left -= 4, to += 4 * stride, from += 4 * row) {
      if (type == Q8) {
        if (left > 2) multiplyTile(to, stride, w, Q8, from, row, left, cols, S8X2, 4);
        else multiplyTile(to, stride, w, Q8, from, row, left, cols, S8X2, 2);
      } else if (type == Q4) {
        if (left > 2) multiplyTile(to, stride, w, Q4, from, row, left, cols, S8X2, 4);
        else multiplyTile(to, stride, w, Q4, from, row, left, cols, S8X2, 2);
      } else {
        if (left > 2) multiplyTile(to, stride, w, Q4K, from, row, left, cols, S8X2, 4);
        else multiplyTile(to, stride, w, Q4K, from, row, left, cols, S8X2, 2);
      }
    }
  }
}
