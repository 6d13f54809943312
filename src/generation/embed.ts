/** Embeddings: a text as one vector, the normalised mean of its tokens' last hidden states. */
import type { Session } from "../engine/session.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

/** What an embedding is computed with: a model. */
export interface Embedder {
  readonly tokenizer: Tokenizer;
  createSession(): Session;
}

/** A text's embedding. */
export interface Embedding {
  /** f32[hiddenSize] of length 1. */
  readonly vector: Float32Array;
  /** Tokens of the text. */
  readonly tokens: number;
}

/**
 * The embedding of a text. Throws EMPTY_PROMPT for a text without tokens, CONTEXT_FULL for one that
 * is too long; an abort rejects with the signal's reason.
 */
export async function embed(
  model: Embedder,
  text: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Embedding> {
  const tokens = model.tokenizer.encode(text, { addBos: true });
  const session = model.createSession();
  try {
    const options = { hidden: "all", ...(signal && { signal }) } as const;
    const states = await session.evaluate(tokens, options);
    return { vector: normalizedMean(states, tokens.length), tokens: tokens.length };
  } finally {
    session.dispose();
  }
}

/** The mean of `count` rows, divided by its length. */
function normalizedMean(rows: Float32Array, count: number): Float32Array {
  const width = rows.length / count;
  const sums = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) sums[i % width] += rows[i];
  // The length of the sums: the count of rows divides out.
  const norm = Math.sqrt(sums.reduce((total, sum) => total + sum * sum, 0));
  return Float32Array.from(sums, (sum) => (norm > 0 ? sum / norm : 0));
}
