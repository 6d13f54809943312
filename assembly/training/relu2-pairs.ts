// Squared ReLU as pairs of index and value, forward and backward: most elements are 0.

import { sumF32x4 } from "../lanes";

/** Bytes of a pair: u32 index, f32 value. */
export const PAIR: usize = 8;

/**
 * pairs = (i, u[i]^2) for the positive of u, ascending
 *
 *   pairs   n pairs   out; those behind the count are overwritten with meaningless values
 *   u       f32[n]
 *
 * Returns their number. NaN is listed as NaN. Any n and alignment.
 */
export function relu2Pairs(pairs: usize, u: usize, n: i32): i32 {
  const first = pairs;
  for (let i = 0; i < n; i++, u += 4) {
    const value = load<f32>(u);
    // Always stored and kept by advancing: a branch here would be mispredicted.
    store<u32>(pairs, i);
    store<f32>(pairs, value * value, 4);
    pairs += value <= 0 ? 0 : PAIR;
  }
  return <i32>((pairs - first) >> 3);
}

/**
 * to = (i, 2 u[i] (dy . w[i, :])) for the indices i of the pairs: the gradient of y = relu(u)^2 w
 * in u, where it is not 0
 *
 *   to      count pairs   out; may be pairs
 *   pairs   count pairs   relu2Pairs of u
 *   u       f32[n]
 *   dy      f32[cols]
 *   w       f32[n, cols]
 *
 * Requires cols % 4 == 0. Any count and alignment.
 */
export function relu2GradPairs(
  to: usize,
  pairs: usize,
  count: i32,
  u: usize,
  dy: usize,
  w: usize,
  cols: i32,
): void {
  const rowBytes = <usize>cols << 2;
  const last = pairs + <usize>count * PAIR - PAIR;
  for (; pairs <= last; pairs += 4 * PAIR, to += 4 * PAIR) {
    // Past the last pair, it is read again and not stored.
    const i0 = load<usize>(pairs);
    const i1 = load<usize>(min(pairs + PAIR, last));
    const i2 = load<usize>(min(pairs + 2 * PAIR, last));
    const i3 = load<usize>(min(pairs + 3 * PAIR, last));
    const w0 = w + i0 * rowBytes;
    const w1 = w + i1 * rowBytes;
    const w2 = w + i2 * rowBytes;
    const w3 = w + i3 * rowBytes;
    let sum0 = f32x4.splat(0);
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    for (let c: usize = 0; c < rowBytes; c += 16) {
      const d = v128.load(dy + c);
      sum0 = f32x4.add(sum0, f32x4.mul(d, v128.load(w0 + c)));
      sum1 = f32x4.add(sum1, f32x4.mul(d, v128.load(w1 + c)));
      sum2 = f32x4.add(sum2, f32x4.mul(d, v128.load(w2 + c)));
      sum3 = f32x4.add(sum3, f32x4.mul(d, v128.load(w3 + c)));
    }
    const left = last - pairs;
    storeGrad(to, i0, u, sum0);
    if (left >= PAIR) storeGrad(to + PAIR, i1, u, sum1);
    if (left >= 2 * PAIR) storeGrad(to + 2 * PAIR, i2, u, sum2);
    if (left >= 3 * PAIR) storeGrad(to + 3 * PAIR, i3, u, sum3);
  }
}

// @ts-ignore: decorator
@inline
function storeGrad(to: usize, i: usize, u: usize, sum: v128): void {
  store<u32>(to, <u32>i);
  store<f32>(to, 2 * load<f32>(u + (i << 2)) * sumF32x4(sum), 4);
}
