/** AdamW with decoupled weight decay, in f64. */

/** The settings of AdamW. */
export interface AdamwSettings {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly gradScale: number;
}

/** One parameter after a gradient for each step. */
export function referenceAdamw(
  start: number,
  grads: readonly number[],
  { rate, beta1, beta2, epsilon, weightDecay, gradScale }: AdamwSettings,
): { p: number; m: number; v: number } {
  let [p, m, v] = [start, 0, 0];
  grads.forEach((grad, i) => {
    const g = grad * gradScale;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const meanHat = m / (1 - beta1 ** (i + 1));
    const squareHat = v / (1 - beta2 ** (i + 1));
    p -= rate * (meanHat / (Math.sqrt(squareHat) + epsilon) + weightDecay * p);
  });
  return { p, m, v };
}
