// The square of a gradient's norm.

/**
 * Sum of x[i]^2 in f64
 *
 *   x   f32[n]
 *
 * Any n and alignment. The order of the additions depends on n alone; a caller that divides x must
 * divide it alike for any number of threads, and add the parts in order.
 */
export function sumSquares(x: usize, n: i32): f64 {
  const end = x + (<usize>n << 2);
  const vectorEnd = x + (<usize>(n & ~3) << 2);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; x < vectorEnd; x += 16) {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(x));
    const b = f64x2.promote_low_f32x4(v128.load64_zero(x, 8));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  low = f64x2.add(low, high);
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (; x < end; x += 4) {
    const value = <f64>load<f32>(x);
    sum += value * value;
  }
  return sum;
}
