// Y = X W^T for several tokens at once: prefill, and decoding with types without a matvec.

import {
  COLS,
  ROWS,
  STRIDE,
  hasHalves,
  hasMinimums,
  panelBytes,
} from "./layout";
import { multiplyTile, multiplyToken } from "./matmul-tile";
import { rowBytesI16 } from "./quantize";
import { unpackPanel } from "./unpack";

/**
 * Y = X W^T, W of any packed type, X 16-bit integers in blocks of 32.
 *
 *   y         f32[n, rows]          out, its rows `stride` apart
 *   w         panels[rows, cols]    of `type`, layout.ts
 *   x         n rows of quantizeI16(cols)
 *   shape     ProductShape, layout.ts
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes, holds one panel at a time
 *
 * Requires rows % 8 == 0, cols % 32 == 0 (256 for K types). The sums of a block are exact. A row of
 * Y does not depend on n: each token's sums run in the same order.
 */
export function matmulI16(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  shape: usize,
  scratch: usize,
): void {
  const n = load<i32>(shape);
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const step = panelBytes(type, cols);
  const halves = hasHalves(type);
  const minimums = hasMinimums(type);
  for (let r = 0; r < rows; r += 8, w += step, y += 32) {
    unpackPanel(scratch, w, type, cols, 0);
    multiplyPanel(y, stride, scratch, x, n, cols, halves, minimums);
  }
}

/** 8 outputs of n tokens: 4 tokens x 4 outputs at a time, then single tokens. */
// @ts-ignore: decorator
@inline
function multiplyPanel(
  y: usize,
  stride: usize,
  panel: usize,
  x: usize,
  n: i32,
  cols: i32,
  halves: bool,
  minimums: bool,
): void {
  const row = rowBytesI16(cols);
  let t = 0;
  for (; t + 4 <= n; t += 4, x += 4 * row, y += 4 * stride) {
    for (let quad: usize = 0; quad < 32; quad += 16) {
      multiplyTile(y + quad, stride, panel + quad, x, cols, halves, minimums);
    }
  }
  for (; t < n; t++, x += row, y += stride) {
    multiplyToken(y, panel, x, cols, halves, minimums);
  }
}
