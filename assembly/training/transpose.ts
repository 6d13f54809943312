// Transposing matrices.

import { transpose4 } from "./transpose4";

/** Rows read together: they fill a cache line of each written row. */
const ROWS: i32 = 16;

/**
 * to = from transposed
 *
 *   to     f32[cols, rows]   out; apart from `from`
 *   from   f32[rows, cols]
 *
 * Any rows, cols and alignment.
 */
export function transpose(to: usize, from: usize, rows: i32, cols: i32): void {
  transposeStrided(to, <usize>rows << 2, from, <usize>cols << 2, rows, cols);
}

/** transpose with rows toRow and fromRow bytes apart. */
export function transposeStrided(
  to: usize,
  toRow: usize,
  from: usize,
  fromRow: usize,
  rows: i32,
  cols: i32,
): void {
  for (let i = 0; i < rows; i += ROWS) {
    const end = min(i + ROWS, rows);
    let j = 0;
    for (; j + 4 <= cols; j += 4) {
      let r = i;
      for (; r + 4 <= end; r += 4) {
        const at = from + <usize>r * fromRow + (<usize>j << 2);
        transpose4(to + <usize>j * toRow + (<usize>r << 2), toRow, at, fromRow);
      }
      copyElements(to, toRow, from, fromRow, r, end, j, j + 4);
    }
    copyElements(to, toRow, from, fromRow, i, end, j, cols);
  }
}

/** Rows firstRow .. endRow of columns firstCol .. endCol, one by one. */
// @ts-ignore: decorator
@inline
function copyElements(
  to: usize,
  toRow: usize,
  from: usize,
  fromRow: usize,
  firstRow: i32,
  endRow: i32,
  firstCol: i32,
  endCol: i32,
): void {
  for (let r = firstRow; r < endRow; r++) {
    for (let j = firstCol; j < endCol; j++) {
      const value = load<f32>(from + <usize>r * fromRow + (<usize>j << 2));
      store<f32>(to + <usize>j * toRow + (<usize>r << 2), value);
    }
  }
}
