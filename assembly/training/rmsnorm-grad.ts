// RMSNorm backward. With s = 1 / sqrt(mean(x^2) + eps), y = x s gain:
//   dx = s gain dy - x s^3 mean(x gain dy), dgain = sum over rows of x s dy.

import { addLanesF64 } from "../exp";
import { inverseRms } from "../rmsnorm";

/**
 * dx += gradient of RMSNorm in x, row by row
 *
 *   dx     f32[rows, cols]   in and out
 *   x      f32[rows, cols]   what the norm was given
 *   gain   f32[cols]
 *   dy     f32[rows, cols]   gradient in the norm's result
 *
 * Any cols and alignment; dx apart from the rest. Sums are in f64.
 */
export function rmsnormGrad(
  dx: usize,
  x: usize,
  gain: usize,
  dy: usize,
  rows: i32,
  cols: i32,
  eps: f32,
): void {
  const vectorBytes = <usize>(cols & ~3) << 2;
  const rowBytes = <usize>cols << 2;
  for (let row = 0; row < rows; row++, dx += rowBytes, x += rowBytes, dy += rowBytes) {
    const scale = inverseRms(x, cols, eps);
    const cubed = <f64>scale * <f64>scale * <f64>scale;
    const factor = <f32>(-cubed * productSum(x, gain, dy, cols) / <f64>cols);
    const scales = f32x4.splat(scale);
    const factors = f32x4.splat(factor);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const direct = f32x4.mul(f32x4.mul(v128.load(gain + i), v128.load(dy + i)), scales);
      const change = f32x4.add(direct, f32x4.mul(v128.load(x + i), factors));
      v128.store(dx + i, f32x4.add(v128.load(dx + i), change));
    }
    for (; i < rowBytes; i += 4) {
      const direct = load<f32>(gain + i) * load<f32>(dy + i) * scale;
      store<f32>(dx + i, load<f32>(dx + i) + (direct + load<f32>(x + i) * factor));
    }
  }
}

/** Sum of a b c over n floats, in f64. */
// @ts-ignore: decorator
@inline
function productSum(a: usize, b: usize, c: usize, n: i32): f64 {
  const vectorBytes = <usize>(n & ~3) << 2;
  let sums = f64x2.splat(0);
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) {
    const ab = f32x4.mul(v128.load(a + i), v128.load(b + i));
    sums = addLanesF64(sums, f32x4.mul(ab, v128.load(c + i)));
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < <usize>n << 2; i += 4) {
    sum += <f64>(load<f32>(a + i) * load<f32>(b + i) * load<f32>(c + i));
  }
  return sum;
}

/**
 * dgain += gradient of RMSNorm in its gain, for columns first .. end
 *
 *   dgain   f32[cols]         in and out
 *   x       f32[rows, cols]   what the norm was given
 *   dy      f32[rows, cols]   gradient in the norm's result
 *
 * Any sizes and alignment. A column is summed row after row, whatever first and end are.
 */
export function rmsnormGainGrad(
  dgain: usize,
  x: usize,
  dy: usize,
  rows: i32,
  cols: i32,
  first: i32,
  end: i32,
  eps: f32,
): void {
  const firstByte = <usize>first << 2;
  const vectorEnd = firstByte + (<usize>((end - first) & ~3) << 2);
  const rowBytes = <usize>cols << 2;
  for (let row = 0; row < rows; row++, x += rowBytes, dy += rowBytes) {
    const scale = inverseRms(x, cols, eps);
    const scales = f32x4.splat(scale);
    let i = firstByte;
    for (; i < vectorEnd; i += 16) {
      const product = f32x4.mul(f32x4.mul(v128.load(x + i), scales), v128.load(dy + i));
      v128.store(dgain + i, f32x4.add(v128.load(dgain + i), product));
    }
    for (; i < <usize>end << 2; i += 4) {
      const product = load<f32>(x + i) * scale * load<f32>(dy + i);
      store<f32>(dgain + i, load<f32>(dgain + i) + product);
    }
  }
}
