// Products with F32, F16 and BF16 weights, in float arithmetic.

import { loadBF16x4, loadF16x4, sumF32x4 } from "../lanes";
import { BF16, COLS, F16, F32, ROWS, STRIDE } from "./layout";
import { END, FIRST, OUTPUTS } from "../down/slab-layout";

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
 *   y       f32[n, rows]      out, its rows `stride` apart
 *   w       [rows, cols]      row-major, of `type` (F32, F16 or BF16)
 *   x       f32[n, cols]
 *   shape   ProductShape, layout.ts
 *
 * Requires cols % 16 == 0. F32 weights are multiplied and summed in f64: the result is the exact
 * one, rounded once. The narrower types are summed in f32 over 64 inputs and from there in f64.
 */
export function matmulF32(y: usize, w: usize, type: i32, x: usize, shape: usize): void {
  if (type == F32) multiplyRowsF64(y, w, x, shape);
  else if (type == F16) multiplyRows(y, w, F16, x, shape);
  else multiplyRows(y, w, BF16, x, shape);
}

function multiplyRowsF64(y: usize, w: usize, x: usize, shape: usize): void {
  const n = load<i32>(shape);
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const rowBytes = <usize>cols << 2;
  for (let r = 0; r < rows; r++, w += rowBytes, y += 4) {
    let xt = x;
    for (let t = 0; t < n; t++) {
      let acc0 = f64x2.splat(0);
      let acc1 = f64x2.splat(0);
      for (let wt = w; wt < w + rowBytes; wt += 16, xt += 16) {
        acc0 = f64x2.add(acc0, f64x2.mul(promoteLow(wt), promoteLow(xt)));
        acc1 = f64x2.add(acc1, f64x2.mul(promoteLow(wt + 8), promoteLow(xt + 8)));
      }
      const sum = f64x2.add(acc0, acc1);
      const total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
      store<f32>(y + <usize>t * stride, <f32>total);
    }
  }
}

/** Two f32 at ptr as f64x2. */
// @ts-ignore: decorator
@inline
function promoteLow(ptr: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(ptr));
}

// @ts-ignore: decorator
@inline
function multiplyRows(y: usize, w: usize, type: i32, x: usize, shape: usize): void {
  const n = load<i32>(shape);
  const rows = load<i32>(shape, ROWS);
  const cols = load<i32>(shape, COLS);
  const stride = <usize>load<i32>(shape, STRIDE) << 2;
  const rowBytes = <usize>cols << 1;
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
      store<f32>(y + <usize>t * stride, <f32>total);
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
 * Y = X W^T for a float slab, touching only the active neurons.
 *
 *   y        f32[n, outputs]        out
 *   w        [neurons, outputs]     a neuron's weights in one run, of `type`
 *   x        f32[n, neurons]        mostly zero
 *   active   u32[n] counts, then u32[n, neurons]: each token's active neurons
 *   shape    SlabShape (slab-layout.ts): outputs first .. end are written
 *
 * Requires first, end and outputs % 4 == 0. Eight neurons are summed before they are added to y, so
 * that fewer roundings follow one another.
 */
export function sparseMatmulF32(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  active: usize,
  n: i32,
  shape: usize,
): void {
  const neurons = <usize>load<i32>(shape) << 2;
  const outputs = <usize>load<i32>(shape, OUTPUTS);
  let list = active + (<usize>n << 2);
  for (let t = 0; t < n; t++, y += outputs << 2, x += neurons, list += neurons) {
    const end = list + (load<usize>(active + (<usize>t << 2)) << 2);
    const first = <usize>load<i32>(shape, FIRST);
    const last = <usize>load<i32>(shape, END);
    memory.fill(y + (first << 2), 0, (last - first) << 2);
    for (let p = list; p < end; p += 32) {
      const listEnd = min(p + 32, end);
      if (type == F32) addNeurons(y, w, F32, x, p, listEnd, shape);
      else if (type == F16) addNeurons(y, w, F16, x, p, listEnd, shape);
      else addNeurons(y, w, BF16, x, p, listEnd, shape);
    }
  }
}

/** y += up to 8 neurons of the list at p. */
// @ts-ignore: decorator
@inline
function addNeurons(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  p: usize,
  end: usize,
  shape: usize,
): void {
  const outputs = <usize>load<i32>(shape, OUTPUTS);
  const last = <usize>load<i32>(shape, END);
  for (let i = <usize>load<i32>(shape, FIRST); i < last; i += 4) {
    let sum = f32x4.splat(0);
    for (let q = p; q < end; q += 4) {
      const neuron = load<usize>(q);
      const a = v128.load32_splat(x + (neuron << 2));
      sum = f32x4.add(sum, f32x4.mul(loadWeights(w, neuron * outputs + i, type), a));
    }
    const to = y + (i << 2);
    v128.store(to, f32x4.add(v128.load(to), sum));
  }
}
