// Which outputs of an estimate can be positive.

/** The variance of low - 7.5. */
const LOW_VARIANCE: f32 = 21.25;

/** Appends the rows that can be positive; NaN counts as such. Returns the list's end. */
// @ts-ignore: decorator
@inline
export function listPositive(list: usize, r: i32, y: v128, variance: v128, margin: f32): usize {
  const sigma = f32x4.sqrt(f32x4.mul(variance, f32x4.splat(LOW_VARIANCE)));
  const most = f32x4.add(y, f32x4.mul(sigma, f32x4.splat(margin)));
  const mask = i32x4.bitmask(f32x4.le(most, f32x4.splat(0))) ^ 15;
  store<u32>(list, r);
  list += (mask & 1) << 2;
  store<u32>(list, r + 1);
  list += (mask & 2) << 1;
  store<u32>(list, r + 2);
  list += mask & 4;
  store<u32>(list, r + 3);
  return list + ((mask & 8) >> 1);
}
