// Weighted sums of the matrix rows that pairs name.

import { PAIR } from "./relu2-pairs";

/** Bytes of the columns that are summed together, in 8 registers. */
const TILE: usize = 128;

/**
 * y = or += sum of value * w[index, :] over the pairs
 *
 *   y       f32[cols]     out, or in and out with accumulate 1
 *   pairs   count pairs   u32 index, f32 value
 *   w       f32[, cols]
 *
 * Requires cols % 4 == 0; y apart from the rest. Any count, 0 as well, and alignment. Pairs are
 * summed in their order, and then added to y.
 */
export function sparseRows(
  y: usize,
  pairs: usize,
  count: i32,
  w: usize,
  cols: i32,
  accumulate: i32,
): void {
  const end = pairs + <usize>count * PAIR;
  const rowBytes = <usize>cols << 2;
  let c: usize = 0;
  for (; c + TILE <= rowBytes; c += TILE) {
    sumTile(y + c, pairs, end, w + c, rowBytes, accumulate);
  }
  for (; c < rowBytes; c += 16) {
    let sum = f32x4.splat(0);
    for (let p = pairs; p < end; p += PAIR) {
      const row = w + c + load<usize>(p) * rowBytes;
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(p, 4), v128.load(row)));
    }
    put(y + c, sum, accumulate);
  }
}

function sumTile(
  y: usize,
  pairs: usize,
  end: usize,
  w: usize,
  rowBytes: usize,
  accumulate: i32,
): void {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let sum4 = sum0;
  let sum5 = sum0;
  let sum6 = sum0;
  let sum7 = sum0;
  for (let p = pairs; p < end; p += PAIR) {
    const row = w + load<usize>(p) * rowBytes;
    const value = v128.load32_splat(p, 4);
    sum0 = f32x4.add(sum0, f32x4.mul(value, v128.load(row)));
    sum1 = f32x4.add(sum1, f32x4.mul(value, v128.load(row, 16)));
    sum2 = f32x4.add(sum2, f32x4.mul(value, v128.load(row, 32)));
    sum3 = f32x4.add(sum3, f32x4.mul(value, v128.load(row, 48)));
    sum4 = f32x4.add(sum4, f32x4.mul(value, v128.load(row, 64)));
    sum5 = f32x4.add(sum5, f32x4.mul(value, v128.load(row, 80)));
    sum6 = f32x4.add(sum6, f32x4.mul(value, v128.load(row, 96)));
    sum7 = f32x4.add(sum7, f32x4.mul(value, v128.load(row, 112)));
  }
  put(y, sum0, accumulate);
  put(y + 16, sum1, accumulate);
  put(y + 32, sum2, accumulate);
  put(y + 48, sum3, accumulate);
  put(y + 64, sum4, accumulate);
  put(y + 80, sum5, accumulate);
  put(y + 96, sum6, accumulate);
  put(y + 112, sum7, accumulate);
}

// @ts-ignore: decorator
@inline
function put(y: usize, sum: v128, accumulate: i32): void {
  v128.store(y, accumulate != 0 ? f32x4.add(v128.load(y), sum) : sum);
}
