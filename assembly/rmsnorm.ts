// RMSNorm.

/** 1 / sqrt(mean(x^2) + eps) of f32[n]; the squares are summed in f64. */
// @ts-ignore: decorator
@inline
export function inverseRms(x: usize, n: i32, eps: f32): f32 {
  const vectorBytes = <usize>(n & ~3) << 2;
  const rowBytes = <usize>n << 2;
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) {
    const v = v128.load(x + i);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 0));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  low = f64x2.add(low, high);
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (; i < rowBytes; i += 4) {
    const v = <f64>load<f32>(x + i);
    sum += v * v;
  }
  return <f32>(1 / sqrt<f64>(sum / <f64>n + <f64>eps));
}

/**
 * y = x / sqrt(mean(x^2) + eps) * weight, row by row
 *
 *   y        f32[rows, n]   out; may be x
 *   x        f32[rows, n]
 *   weight   f32[n]
 *
 * Any n and alignment. Squares are summed in f64, where they cannot overflow.
 */
export function rmsnormF32(
  y: usize,
  x: usize,
  weight: usize,
  rows: i32,
  n: i32,
  eps: f32,
): void {
  const vectorBytes = <usize>(n & ~3) << 2;
  const rowBytes = <usize>n << 2;
  for (let row = 0; row < rows; row++) {
    const scale = inverseRms(x, n, eps);
    const scales = f32x4.splat(scale);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const scaled = f32x4.mul(v128.load(x + i), scales);
      v128.store(y + i, f32x4.mul(scaled, v128.load(weight + i)));
    }
    for (; i < rowBytes; i += 4) {
      store<f32>(y + i, load<f32>(x + i) * scale * load<f32>(weight + i));
    }
    x += rowBytes;
    y += rowBytes;
  }
}
