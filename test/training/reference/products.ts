/** Matrix products in f64. */

/** C[m, n] = A[m, k] B[k, n]; with `magnitudes` the sums of the products' absolute values. */
export function referenceProduct(
  a: (i: number, l: number) => number,
  b: (l: number, j: number) => number,
  [m, n, k]: readonly [m: number, n: number, k: number],
  magnitudes = false,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) {
        const product = a(i, l) * b(l, j);
        sum += magnitudes ? Math.abs(product) : product;
      }
      c[i * n + j] = sum;
    }
  }
  return c;
}
