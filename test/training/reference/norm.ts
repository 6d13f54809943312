/** RMSNorm and rope backward, in f64. */

/** Gradients of one row of RMSNorm in its input and its gain. */
export function referenceRmsnormGrad(
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  dy: ArrayLike<number>,
  eps: number,
): { dx: Float64Array; dgain: Float64Array } {
  const n = x.length;
  let squares = 0;
  let products = 0;
  for (let i = 0; i < n; i++) {
    squares += x[i] * x[i];
    products += x[i] * gain[i] * dy[i];
  }
  const scale = 1 / Math.sqrt(squares / n + eps);
  const dx = new Float64Array(n);
  const dgain = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    dx[i] = scale * gain[i] * dy[i] - (x[i] * scale ** 3 * products) / n;
    dgain[i] = x[i] * scale * dy[i];
  }
  return { dx, dgain };
}

/** Gradient of referenceRope in its input. */
export function referenceRopeGrad(dy: ArrayLike<number>, table: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(dy.length);
  for (let i = 0; i < dy.length; i += 2) {
    dx[i] = dy[i] * table[i] + dy[i + 1] * table[i + 1];
    dx[i + 1] = dy[i + 1] * table[i] - dy[i] * table[i + 1];
  }
  return dx;
}
