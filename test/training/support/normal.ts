/** Seeded normal values without outliers. */

/** `n` normal values with standard deviation `scale`. */
export function normal(n: number, random: () => number, scale = 1): Float32Array {
  return Float32Array.from({ length: n }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random()) * scale;
  });
}
