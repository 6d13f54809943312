// Products with F32, F16 and BF16 weights, in float arithmetic.

import { loadBF16x4, loadF16x4, sumF32x4 } from "./lanes";
import { BF16, F16, F32 } from "./layout";

/** Four weights of `type` at index i of w. */
// @ts-ignore: decorator
@inline
function loadWeights(w: usize, i: usize, type: i32): v128 {
  if (type == F32) return v128.load(w + (i << 2));
  if (type == F16) return loadF16x4(w + (i << 1));
  return loadBF16x4(w + (i << 1));
}

/**
 * Y = X W^T with float weights.
 *
 *   y   f32[n, rows]      out
 *   w   [rows, cols]      row-major, of `type` (F32, F16 or BF16)
 *   x   f32[n, cols]
 *
 * Requires cols % 16 == 0. Products are summed in f32 over 64 inputs and from there in f64, so that
 * the result is within about one rounding of f32 from exact.
 */
export function matmulF32(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  n: i32,
  rows: i32,
  cols: i32,
): void {
  if (type == F32) multiplyRows(y, w, F32, x, n, rows, cols);
  else if (type == F16) multiplyRows(y, w, F16, x, n, rows, cols);
  else multiplyRows(y, w, BF16, x, n, rows, cols);
}

// @ts-ignore: decorator
@inline
function multiplyRows(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  n: i32,
  rows: i32,
  cols: i32,
): void {
  const rowBytes = <usize>cols << (type == F32 ? 2 : 1);
  for (let r = 0; r < rows; r++, w += rowBytes, y += 4) {
    let xt = x;
    for (let t = 0; t < n; t++) {
      let total: f64 = 0;
      for (let c: usize = 0; c < <usize>cols; ) {
        const end = min(c + 64, <usize>cols);
        let acc0 = f32x4.splat(0);
        let acc1 = f32x4.splat(0);
        let acc2 = f32x4.splat(0);
        let acc3 = f32x4.splat(0);
        for (; c < end; c += 16, xt += 64) {
          acc0 = f32x4.add(acc0, f32x4.mul(loadWeights(w, c, type), v128.load(xt)));
          acc1 = f32x4.add(acc1, f32x4.mul(loadWeights(w, c + 4, type), v128.load(xt, 16)));
          acc2 = f32x4.add(acc2, f32x4.mul(loadWeights(w, c + 8, type), v128.load(xt, 32)));
          acc3 = f32x4.add(acc3, f32x4.mul(loadWeights(w, c + 12, type), v128.load(xt, 48)));
        }
        total += <f64>sumF32x4(f32x4.add(f32x4.add(acc0, acc1), f32x4.add(acc2, acc3)));
      }
      store<f32>(y + <usize>t * (<usize>rows << 2), <f32>total);
    }
  }
}

/**
 * y += a * w: one neuron of a float slab, or one row of a matrix that is used transposed.
 *
 *   y   f32[n]   in and out
 *   w   [n]      of `type`
 *
 * Requires n % 4 == 0.
 */
export function addScaledF32(y: usize, w: usize, type: i32, a: f32, n: i32): void {
  if (type == F32) addScaled(y, w, F32, a, n);
  else if (type == F16) addScaled(y, w, F16, a, n);
  else addScaled(y, w, BF16, a, n);
}

// @ts-ignore: decorator
@inline
function addScaled(y: usize, w: usize, type: i32, a: f32, n: i32): void {
  const factor = f32x4.splat(a);
  for (let i: usize = 0; i < <usize>n; i += 4) {
    const product = f32x4.mul(loadWeights(w, i, type), factor);
    v128.store(y + (i << 2), f32x4.add(v128.load(y + (i << 2)), product));
  }
}

/**
 * Y = X W^T for a float slab, touching only neurons that are active.
 *
 *   y   f32[n, outputs]           out
 *   w   [neurons, outputs]        a neuron's weights in one run, of `type`
 *   x   f32[n, neurons]           mostly zero
 *
 * Requires outputs % 4 == 0.
 */
export function sparseMatmulF32(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  n: i32,
  neurons: i32,
  outputs: i32,
): void {
  const run = <usize>outputs << (type == F32 ? 2 : 1);
  memory.fill(y, 0, <usize>n * (<usize>outputs << 2));
  for (let j = 0; j < neurons; j++, w += run, x += 4) {
    for (let t = 0; t < n; t++) {
      const a = load<f32>(x + <usize>t * (<usize>neurons << 2));
      if (a != 0) addScaledF32(y + <usize>t * (<usize>outputs << 2), w, type, a, outputs);
    }
  }
}
