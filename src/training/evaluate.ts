/** Loss on held-out text. */
import type { TokenizedText } from "./data/corpus.js";
import { evaluationBatches } from "./data/windows.js";
import type { TrainingEngine } from "./engine/engine.js";
import type { Evaluation } from "./run/log.js";

/**
 * Every token of the text is predicted once, in windows of contextLength that advance by `stride`
 * (windows.ts). A document's first token, which nothing precedes, counts as drawn from a uniform
 * distribution over the vocabulary.
 */
export function evaluate(engine: TrainingEngine, text: TokenizedText, stride: number): Evaluation {
  const { tokens, contextLength } = engine.sizes;
  let loss = text.ends.length * Math.log(engine.config.vocabSize);
  for (const batch of evaluationBatches(text, { tokens, contextLength, stride })) {
    loss += engine.evaluate(batch).loss;
  }
  const mean = loss / text.tokens.length;
  return { loss: mean, perplexity: Math.exp(mean), bitsPerByte: loss / Math.LN2 / text.bytes };
}
