/** Log probabilities of chosen tokens and of their best alternatives. */
import { createCandidates, selectTopK } from "./candidates.js";

/** A token and the natural logarithm of its probability. */
export interface Logprob {
  token: number;
  /** -Infinity if the model excludes the token. */
  logprob: number;
}

/** A generated token, with the best of the model's own distribution, before penalties. */
export interface TokenLogprob extends Logprob {
  /** The most probable tokens, best first, equal ones by lower id. May have the generated one. */
  top: Logprob[];
}

/**
 * The log-softmax, in f64, of f32[vocabSize] logits at `token` and at the `count` best tokens.
 * Throws PlmError INVALID_ARGUMENT for NaN, +Infinity, or -Infinity everywhere.
 */
export function computeLogprobs(logits: Float32Array, token: number, count: number): TokenLogprob {
  const best = createCandidates(Math.min(Math.max(count, 1), logits.length));
  selectTopK(logits, best.ids.length, best);
  const max = best.logits[0];
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id] - max);
  const logTotal = max + Math.log(sum);
  const top: Logprob[] = [];
  for (let i = 0; i < Math.min(count, best.length); i++) {
    top.push({ token: best.ids[i], logprob: best.logits[i] - logTotal });
  }
  return { token, logprob: logits[token] - logTotal, top };
}
