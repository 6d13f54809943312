// y = W x from the high plane of split weights (split.ts), and how far it may be off.

import { HIGH, multiply } from "./matvec";
import { I16, S8X2 } from "./quantize";

//   Estimate, 16 bytes: what an estimate is told, and what it finds
//   +------------------------------------------------------------------+
//   |  0  f32  margin: standard deviations of the estimate's error     |
//   |  4  i32  squares: address of sumSquares32 of x, f32[cols / 32]   |
//   |  8  i32  list: address of u32[rows], out                         |
//   | 12  i32  count: rows in the list, out                            |
//   +------------------------------------------------------------------+

/**
 * y = W x from W's high plane (split.ts), and the rows that can be positive: those with
 * y + margin * sigma > 0, where sigma is that of the low nibbles' share if they are evenly
 * distributed.
 *
 *   y          f32[rows]             out
 *   w          panels[rows, cols]    the high plane
 *   x          one row of quantizeI16, n = cols
 *   estimate   Estimate
 */
export function estimateI16(
  y: usize,
  w: usize,
  x: usize,
  rows: i32,
  cols: i32,
  estimate: usize,
): void {
  multiply(y, w, HIGH, x, rows, cols, I16, estimate);
}

/** estimateI16 on a row of quantizeS8X2. */
export function estimateS8X2(
  y: usize,
  w: usize,
  x: usize,
  rows: i32,
  cols: i32,
  estimate: usize,
): void {
  multiply(y, w, HIGH, x, rows, cols, S8X2, estimate);
}
