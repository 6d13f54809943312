/** Squared ReLU and the projection behind it, y = relu(u)^2 W, forward and backward in f64. */

/** relu(u)^2 */
export function referenceRelu2(u: ArrayLike<number>): Float64Array {
  return Float64Array.from(u, (value) => Math.max(0, value) ** 2);
}

/** y[cols] = h W for one token, W[h.length, cols]. */
export function referenceDown(
  h: ArrayLike<number>,
  w: ArrayLike<number>,
  cols: number,
): Float64Array {
  const y = new Float64Array(cols);
  for (let i = 0; i < h.length; i++) {
    for (let j = 0; j < cols; j++) y[j] += h[i] * w[i * cols + j];
  }
  return y;
}

/** The gradient in u of y = relu(u)^2 W. */
export function referenceRelu2Grad(
  u: ArrayLike<number>,
  w: ArrayLike<number>,
  dy: ArrayLike<number>,
): Float64Array {
  const cols = dy.length;
  return Float64Array.from(u, (value, i) => {
    let dot = 0;
    for (let j = 0; j < cols; j++) dot += dy[j] * w[i * cols + j];
    return 2 * Math.max(0, value) * dot;
  });
}
