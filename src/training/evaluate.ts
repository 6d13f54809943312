/** Loss on held-out text. */
import { NO_TARGET, type TrainingBatch, type TrainingEngine } from "./engine.js";

/** What held-out text costs. */
export interface Evaluation {
  /** Mean -log p of a token, in nats. */
  readonly loss: number;
  /** e^loss */
  readonly perplexity: number;
  /** Bits of all tokens over the text's UTF-8 bytes: independent of the vocabulary. */
  readonly bitsPerByte: number;
}

/** Held-out text. */
export interface HeldOutText {
  readonly tokens: ArrayLike<number>;
  /** Its UTF-8 bytes. */
  readonly bytes: number;
}

/**
 * Every token of the text is predicted once, in windows of contextLength that advance by `stride`:
 * of a window only the last `stride` targets count, so each has contextLength - stride tokens before
 * it, but for the first window's. The first token, which nothing precedes, counts as one of a
 * uniform distribution.
 */
export function evaluate(
  engine: TrainingEngine,
  { tokens, bytes }: HeldOutText,
  stride: number,
): Evaluation {
  const { tokens: batchTokens, contextLength } = engine.sizes;
  const { vocabSize } = engine.config;
  let loss = Math.log(vocabSize);
  let batch = emptyBatch(batchTokens);
  let at = 0;
  for (let first = 0, done = 1; done < tokens.length; first += stride) {
    const count = Math.min(contextLength, tokens.length - 1 - first);
    for (let i = 0; i < count; i++) {
      batch.ids[at + i] = tokens[first + i];
      batch.positions[at + i] = i;
      if (first + i + 1 >= done) batch.targets[at + i] = tokens[first + i + 1];
    }
    done = first + count + 1;
    at += contextLength;
    if (at < batchTokens && done < tokens.length) continue;
    loss += engine.evaluate(batch).loss;
    batch = emptyBatch(batchTokens);
    at = 0;
  }
  const mean = loss / tokens.length;
  return { loss: mean, perplexity: Math.exp(mean), bitsPerByte: loss / Math.LN2 / bytes };
}

/** Nothing to predict; every token is a document of its own sequence's. */
function emptyBatch(length: number): TrainingBatch {
  const words = (): Uint32Array => new Uint32Array(length);
  const targets = words().fill(NO_TARGET);
  return { ids: words(), targets, positions: words(), starts: words() };
}
