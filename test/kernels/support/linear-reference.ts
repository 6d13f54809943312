/** Products in f64 for the linear kernels, and their comparison. */
import * as assert from "uvu/assert";
import { relativeRms } from "../../support/close.js";
import type { Activations } from "./packing.js";
import type { Tensor } from "./tensors.js";

/** A product: its values, and for each the norm of its terms. */
export interface Product {
  readonly y: Float64Array;
  readonly norm: Float64Array;
}

/** The shape of W, and the rows of X. */
export interface ProductShape {
  n: number;
  rows: number;
  cols: number;
}

/** Y = X W^T: y[t, r] = sum of w[r, c] * x[t, c]. */
export function referenceMatmul(
  w: ArrayLike<number>,
  x: ArrayLike<number>,
  { n, rows, cols }: ProductShape,
): Product {
  const y = new Float64Array(n * rows);
  const norm = new Float64Array(n * rows);
  for (let t = 0; t < n; t++) {
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      let squares = 0;
      for (let c = 0; c < cols; c++) {
        const term = w[r * cols + c] * x[t * cols + c];
        sum += term;
        squares += term * term;
      }
      y[t * rows + r] = sum;
      norm[t * rows + r] = Math.sqrt(squares);
    }
  }
  return { y, norm };
}

/** [cols, rows] of a [rows, cols] matrix. */
export function transpose(w: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out[c * rows + r] = w[r * cols + c];
  return out;
}

/** Fails unless |actual - expected| <= bound, so on NaN too. */
function assertNear(actual: number, expected: number, bound: number, what: string): void {
  if (Math.abs(actual - expected) <= bound) return;
  assert.unreachable(`${what}: expected ${expected} within ${bound}, got ${actual}`);
}

/** Fails at the first element further from `expected` than its bound, NaN included. */
export function assertWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
  what: string,
): void {
  assert.is(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < expected.length; i++) {
    assertNear(actual[i], expected[i], bound(i), `${what}[${i}]`);
  }
}

/** What a kernel multiplied: x before and after rounding. */
export interface Operands {
  tensor: Tensor;
  x: Float32Array;
  activations: Activations;
}

/**
 * Fails unless y = x W^T, W packed. Against the rounded activations tightly: the sums of a block
 * are exact, and scale products and minimums round once a block: 1e-5 of the terms' norm suffices.
 * Against x within the effect of rounding: half a scale, and 2^-8 of one because the kernel
 * multiplies by the scale's rounded inverse, times the weight.
 */
export function assertProduct(y: Float32Array, operands: Operands, what: string): void {
  const { x, tensor, activations } = operands;
  const { rows, cols, values, magnitudes } = tensor;
  const tight = new Float64Array(y.length);
  for (let i = 0; i < y.length; i++) {
    const [w, a] = [(i % rows) * cols, Math.floor(i / rows) * cols];
    let [exact, squares, bound] = [0, 0, 0];
    for (let c = 0; c < cols; c++) {
      tight[i] += values[w + c] * activations.values[a + c];
      exact += values[w + c] * x[a + c];
      squares += (magnitudes[w + c] * activations.values[a + c]) ** 2;
      bound += Math.abs(values[w + c]) * activations.scales[a + c] * (0.5 + 2 ** -8);
    }
    const rounding = 1e-5 * Math.sqrt(squares);
    assertNear(y[i], tight[i], rounding, `${what}[${i}]`);
    assertNear(y[i], exact, bound + rounding, `${what}[${i}] against floats`);
  }
  const rms = relativeRms(y, tight);
  assert.ok(!(rms > 1e-6), `${what}: relative rms error ${rms}`);
}
