// Softmax cross-entropy, with its gradient in the logits.

import { addLanesF64, expF32, expF32x4 } from "../exp";
import { rowMaximum, scaleRow } from "./row";

/** The target of a row without one. */
const NO_TARGET: u32 = 0xffffffff;

/**
 * losses = -log softmax(logits)[target], logits = (softmax(logits) - onehot(target)) * scale
 *
 *   logits    f32[rows, cols]   in and out: their gradient
 *   targets   u32[rows]         below cols; 0xffffffff: none, the loss and the gradient are 0
 *   losses    f64[rows]         out, not scaled
 *
 * Any rows, cols >= 1 and alignment. A logit that is NaN or inf makes the row's loss NaN.
 */
export function crossEntropy(
  logits: usize,
  targets: usize,
  rows: i32,
  cols: i32,
  scale: f32,
  losses: usize,
): void {
  const rowBytes = <usize>cols << 2;
  for (let r = 0; r < rows; r++, logits += rowBytes, targets += 4, losses += 8) {
    const target = load<u32>(targets);
    if (target == NO_TARGET) {
      memory.fill(logits, 0, rowBytes);
      store<f64>(losses, 0);
      continue;
    }
    const at = logits + (<usize>target << 2);
    const largest = rowMaximum(logits, cols);
    const shifted = load<f32>(at) - largest;
    const sum = exponentiateRow(logits, cols, largest);
    store<f64>(losses, Math.log(sum) - <f64>shifted);
    scaleRow(logits, cols, <f32>(<f64>scale / sum));
    store<f32>(at, load<f32>(at) - scale);
  }
}

/** x = e^(x - largest) for n floats; returns their sum, in f64. */
// @ts-ignore: decorator
@inline
function exponentiateRow(x: usize, n: i32, largest: f32): f64 {
  const shift = f32x4.splat(largest);
  let sums = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) {
    const e = expF32x4(f32x4.sub(v128.load(x), shift));
    v128.store(x, e);
    sums = addLanesF64(sums, e);
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < n; i++, x += 4) {
    const e = expF32(load<f32>(x) - largest);
    store<f32>(x, e);
    sum += <f64>e;
  }
  return sum;
}
