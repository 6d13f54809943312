// Y = X W^T for several tokens at once, of activations in 8-bit planes: prefill. With the relaxed
// dot one or two planes, without it one.

import {
  COLS,
  PLANES,
  ROWS,
  STRIDE,
  hasHalves,
  hasMinimums,
  panelBytes,
} from "./layout";
import { multiplyBytes } from "./bytes-tile";
import { tileBytes } from "./planes";
import { multiplyTile } from "./planes-tile";
import { dotFlip } from "../reading";
import { unpackPanel } from "./unpack";

/**
 * Y = X W^T, W of any packed type, X in tiles.
 *
 *   y         f32[n, rows]          out, its rows `stride` apart
 *   w         panels[rows, cols]    of `type`, layout.ts
 *   x         tiles of quantizePlanes(n, cols)
 *   shape     ProductShape, layout.ts
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes, holds one panel at a time
 *
 * Requires rows % 8 == 0, cols % 32 == 0 (256 for K types), planes 1 without the relaxed dot. The
 * sums of a block are exact. A row of Y does not depend on n.
 */
export function matmulPlanes(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  shape: usize,
  scratch: usize,
): void {
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const planes = load<i32>(shape, PLANES);
  const step = panelBytes(type, cols);
  const halves = hasHalves(type);
  const minimums = hasMinimums(type);
  for (let r = 0; r < rows; r += 8, w += step, y += 32) {
    unpackPanel(scratch, w, type, cols, ASC_FEATURE_RELAXED_SIMD ? 0x80 ^ dotFlip() : 0);
    if (!ASC_FEATURE_RELAXED_SIMD || planes == 1) {
      multiplyPanel(y, scratch, x, shape, 1, halves, minimums);
    } else multiplyPanel(y, scratch, x, shape, 2, halves, minimums);
  }
}

/** 8 outputs of all tokens, tile by tile. */
// @ts-ignore: decorator
@inline
function multiplyPanel(
  y: usize,
  panel: usize,
  x: usize,
  shape: usize,
  planes: i32,
  halves: bool,
  minimums: bool,
): void {
  const n = load<i32>(shape);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const tokens = planes == 1 ? 4 : 2;
  const step = tileBytes(planes, cols);
  for (let t = 0; t < n; t += tokens, x += step) {
    const count = min(n - t, tokens);
    if (ASC_FEATURE_RELAXED_SIMD) {
      multiplyTile(y, stride, count, panel, x, cols, planes, halves, minimums);
    } else {
      multiplyBytes(y, stride, count, panel, x, cols, halves, minimums);
      multiplyBytes(y + 16, stride, count, panel + 16, x, cols, halves, minimums);
    }
    y += <usize>tokens * stride;
  }
}
