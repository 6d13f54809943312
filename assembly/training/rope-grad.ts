// Rotary position embedding backward: the inverse rotation.

import { rotate } from "../rope";

/**
 * (x[2i], x[2i+1]) = (x[2i] cos_i + x[2i+1] sin_i, x[2i+1] cos_i - x[2i] sin_i), head by head
 *
 *   x       f32[n] at x + h * headStride for each head h   in and out
 *   table   f32[n]   cos_0, sin_0, cos_1, sin_1, ... of one position
 *
 * Requires n even. headStride is in elements. Any alignment.
 */
export function ropeGrad(x: usize, table: usize, heads: i32, headStride: i32, n: i32): void {
  rotate(x, table, heads, headStride, n, true);
}
