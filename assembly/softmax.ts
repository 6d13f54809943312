// Softmax over one row.
import { addLanesF64, expF32, expF32x4, largestLane } from "./exp";

/**
 * x = softmax(x)
 *
 *   x   f32[n]   in and out
 *
 * Requires n >= 1 and a finite largest element; with +inf, NaN or nothing but -inf the result is
 * NaN. Any alignment. The sum is kept in f64.
 */
export function softmaxF32(x: usize, n: i32): void {
  const end = x + (<usize>n << 2);
  const vectorEnd = x + (<usize>(n & ~3) << 2);

  let largest = f32x4.splat(-Infinity);
  let p = x;
  for (; p < vectorEnd; p += 16) largest = f32x4.pmax(largest, v128.load(p));
  let top = largestLane(largest);
  for (; p < end; p += 4) top = max(top, load<f32>(p));

  const tops = f32x4.splat(top);
  let sums = f64x2.splat(0);
  for (p = x; p < vectorEnd; p += 16) {
    const e = expF32x4(f32x4.sub(v128.load(p), tops));
    v128.store(p, e);
    sums = addLanesF64(sums, e);
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; p < end; p += 4) {
    const e = expF32(load<f32>(p) - top);
    store<f32>(p, e);
    sum += <f64>e;
  }

  const divisor = <f32>sum;
  const divisors = f32x4.splat(divisor);
  for (p = x; p < vectorEnd; p += 16) v128.store(p, f32x4.div(v128.load(p), divisors));
  for (; p < end; p += 4) store<f32>(p, load<f32>(p) / divisor);
}
