/** Softmax cross-entropy of one row, in f64. */
import { referenceSoftmax } from "../../support/reference.js";

/** -log softmax(logits)[target] */
export function referenceLoss(logits: ArrayLike<number>, target: number): number {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - largest);
  return Math.log(sum) - (logits[target] - largest);
}

/** Its gradient in the logits. */
export function referenceLossGrad(logits: ArrayLike<number>, target: number): number[] {
  return referenceSoftmax(logits).map((p, i) => p - (i === target ? 1 : 0));
}
