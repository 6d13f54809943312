/** How well a model in the product's engine predicts a text. */
import type { Session } from "../../src/engine/session.js";

/** How windows lie, as in src/training/data/windows.ts. */
export interface Windows {
  /** Tokens of a window. */
  readonly contextLength: number;
  /** Tokens by which windows advance, at most contextLength. */
  readonly stride: number;
}

/**
 * The negative log probability, in nats, of all tokens of a text: of the first by a uniform
 * distribution, of each other one given the tokens before it in the first window that contains it.
 * `onProgress` gets the tokens scored so far.
 */
export async function scoreTokens(
  session: Session,
  tokens: Uint16Array | Uint32Array,
  { contextLength, stride }: Windows,
  onProgress: (tokens: number) => void = () => {},
): Promise<number> {
  const { vocabSize } = session;
  let loss = Math.log(vocabSize);
  let scored = 1;
  for (let from = 0; scored < tokens.length; from += stride) {
    const end = Math.min(from + contextLength, tokens.length - 1);
    session.truncate(0);
    if (scored - 1 > from) {
      await session.evaluate(tokens.subarray(from, scored - 1), { logits: "none" });
    }
    const logits = await session.evaluate(tokens.subarray(scored - 1, end), { logits: "all" });
    for (let row = 0; scored <= end; row++, scored++) {
      const own = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
      loss += negativeLogProbability(own, tokens[scored]);
    }
    onProgress(scored);
  }
  return loss;
}

/** -log softmax(logits)[token], in nats. */
export function negativeLogProbability(logits: ArrayLike<number>, token: number): number {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i] - largest);
  return largest + Math.log(total) - logits[token];
}
