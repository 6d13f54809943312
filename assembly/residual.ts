// The residual connection.

/**
 * x += y
 *
 *   x   f32[n]   in and out
 *   y   f32[n]
 *
 * Any n and alignment; x apart from y.
 */
export function addF32(x: usize, y: usize, n: i32): void {
  const end = x + (<usize>n << 2);
  const vectorEnd = x + (<usize>(n & ~3) << 2);
  for (; x < vectorEnd; x += 16, y += 16) {
    v128.store(x, f32x4.add(v128.load(x), v128.load(y)));
  }
  for (; x < end; x += 4, y += 4) store<f32>(x, load<f32>(x) + load<f32>(y));
}
