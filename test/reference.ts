/** Plain loops in f64 that the kernels have to agree with. Imported by tests and benches only. */

/** x / sqrt(mean(x^2) + eps) * weight of one row. */
export function referenceRmsnorm(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  eps: number,
): number[] {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  const scale = 1 / Math.sqrt(sum / x.length + eps);
  return Array.from(x, (value, i) => value * scale * weight[i]);
}

/** Adjacent pairs of x rotated by the angles whose cosines and sines are in `table`. */
export function referenceRope(x: ArrayLike<number>, table: ArrayLike<number>): number[] {
  const y: number[] = [];
  for (let i = 0; i < x.length; i += 2) {
    y.push(x[i] * table[i] - x[i + 1] * table[i + 1]);
    y.push(x[i] * table[i + 1] + x[i + 1] * table[i]);
  }
  return y;
}

/** The softmax of one row. */
export function referenceSoftmax(x: ArrayLike<number>): number[] {
  let largest = -Infinity;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]);
  const e = Array.from(x, (value) => Math.exp(value - largest));
  const sum = e.reduce((total, value) => total + value, 0);
  return e.map((value) => value / sum);
}
