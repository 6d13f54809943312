// Rows of floats.

import { largestLane } from "../exp";

/** The largest of n >= 1 floats; a NaN may be ignored. */
// @ts-ignore: decorator
@inline
export function rowMaximum(x: usize, n: i32): f32 {
  let lanes = f32x4.splat(load<f32>(x));
  let i = 0;
  for (; i + 4 <= n; i += 4) lanes = f32x4.pmax(lanes, v128.load(x + (<usize>i << 2)));
  let largest = largestLane(lanes);
  for (; i < n; i++) largest = max<f32>(largest, load<f32>(x + (<usize>i << 2)));
  return largest;
}

/** x *= factor for n floats. */
// @ts-ignore: decorator
@inline
export function scaleRow(x: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) v128.store(x, f32x4.mul(v128.load(x), factors));
  for (; i < n; i++, x += 4) store<f32>(x, load<f32>(x) * factor);
}
