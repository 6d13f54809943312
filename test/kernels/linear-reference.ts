/** Products in f64 for the linear kernels, and the comparison that suits them. */
import * as assert from "uvu/assert";

/** A product: its values, and for each the root of the sum of squares of its terms. */
export interface Product {
  readonly y: Float64Array;
  readonly norm: Float64Array;
}

/** The shape of W, and how many rows X has. */
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

/**
 * Largest error that rounding x to whole `scales` can make: half a scale, and 2^-8 of one because the
 * kernel multiplies with the rounded inverse of the scale, times the weight.
 */
export function roundingBound(
  w: Float32Array,
  scales: ArrayLike<number>,
  shape: ProductShape,
): Float64Array {
  const half = Float64Array.from(scales, (scale) => scale * (0.5 + 2 ** -8));
  return referenceMatmul(w.map(Math.abs), half, shape).y;
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
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= bound(i))) {
      assert.unreachable(
        `${what}[${i}]: expected ${expected[i]} within ${bound(i)}, got ${actual[i]}`,
      );
    }
  }
}
