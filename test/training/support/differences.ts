/** Gradients by finite differences, in f64. */

/** Half the distance of a central difference; its error is about the square of this. */
const STEP = 1e-5;

/** The gradient of f in each element of x, by central differences. */
export function numericGradient(f: (x: Float64Array) => number, x: ArrayLike<number>): number[] {
  const moved = Float64Array.from(x);
  return Array.from(moved, (value, i) => {
    moved[i] = value + STEP;
    const above = f(moved);
    moved[i] = value - STEP;
    const below = f(moved);
    moved[i] = value;
    return (above - below) / (2 * STEP);
  });
}

/** Sum of the products: a scalar whose gradient in `values` is `weights`. */
export function weightedSum(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * weights[i];
  return sum;
}
