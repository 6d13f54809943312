// Packs the operands of gemm in the order in which it reads them.

import { transpose4 } from "./transpose4";

/**
 * Rows of A, four by four: f32[ceil(rows / 4), depth, 4]. Missing rows of the last four are 0.
 *
 *   to           out
 *   a            f32[rows, depth]
 *   aRow, aCol   bytes from one row, and from one column, to the next
 */
export function packRows(
  to: usize,
  a: usize,
  rows: i32,
  depth: i32,
  aRow: usize,
  aCol: usize,
): void {
  for (let r = 0; r < rows; r += 4, a += 4 * aRow) {
    let l = 0;
    if (r + 4 <= rows && aRow == 4) {
      for (; l < depth; l++, to += 16) v128.store(to, v128.load(a + <usize>l * aCol));
    } else if (r + 4 <= rows && aCol == 4) {
      for (; l + 4 <= depth; l += 4, to += 64) transpose4(to, 16, a + (<usize>l << 2), aRow);
    }
    for (; l < depth; l++, to += 16) gather4(to, a + <usize>l * aCol, min(4, rows - r), aRow);
  }
}

/** to[r] = from[r * stride] for r < rows, 0 for the others of four. */
// @ts-ignore: decorator
@inline
function gather4(to: usize, from: usize, rows: i32, stride: usize): void {
  store<f32>(to, load<f32>(from));
  store<f32>(to, rows > 1 ? load<f32>(from + stride) : 0, 4);
  store<f32>(to, rows > 2 ? load<f32>(from + 2 * stride) : 0, 8);
  store<f32>(to, rows > 3 ? load<f32>(from + 3 * stride) : 0, 12);
}

/**
 * Eight columns of B: f32[depth, 8]; if isWide is false, four, and the others are 0.
 *
 *   to     out
 *   b      f32[depth, 8 or 4], rows bRow bytes apart
 */
export function packColumns(to: usize, b: usize, depth: i32, bRow: usize, isWide: bool): void {
  const end = to + (<usize>depth << 5);
  if (isWide) {
    for (; to < end; to += 32, b += bRow) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
    }
  } else {
    for (; to < end; to += 32, b += bRow) {
      v128.store(to, v128.load(b));
      v128.store(to, f32x4.splat(0), 16);
    }
  }
}
