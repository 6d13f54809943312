// Squared ReLU, with the list of the elements that remain.

/**
 * x = max(0, x)^2
 *
 *   x        f32[n]   in and out
 *   active   u32[n]   out: the indices, ascending, of the elements with a result other than 0
 *
 * Returns the number of indices; the rest of active gets meaningless values. NaN stays NaN and is
 * listed; a positive x with a square below f32's range is not. Any n and alignment.
 */
export function relu2ActiveF32(x: usize, n: i32, active: usize): i32 {
  const first = active;
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i < (n & ~3); i += 4, x += 16) {
    const positive = f32x4.max(v128.load(x), zero);
    const square = f32x4.mul(positive, positive);
    v128.store(x, square);
    // The index is always stored and kept by advancing: a branch here would be mispredicted.
    const mask = i32x4.bitmask(f32x4.ne(square, zero));
    store<u32>(active, i);
    active += (mask & 1) << 2;
    store<u32>(active, i + 1);
    active += (mask & 2) << 1;
    store<u32>(active, i + 2);
    active += mask & 4;
    store<u32>(active, i + 3);
    active += (mask & 8) >> 1;
  }
  for (; i < n; i++, x += 4) {
    const positive = max<f32>(load<f32>(x), 0);
    const square = positive * positive;
    store<f32>(x, square);
    store<u32>(active, i);
    active += square != 0 ? 4 : 0;
  }
  return <i32>((active - first) >> 2);
}
