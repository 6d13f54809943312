/** Embeddings: a text as one vector, the normalised mean of its tokens' last hidden states. */
import type { Model } from "./model.js";

/** A text's embedding. */
export interface Embedding {
  /** f32[hiddenSize] of length 1. */
  readonly vector: Float32Array;
  /** Tokens of the text. */
  readonly tokens: number;
}

/**
 * The embedding of a text, or of tokens. Throws EMPTY_PROMPT for a text without tokens,
 * CONTEXT_FULL for one that is too long; an abort rejects with the signal's reason.
 */
export async function embed(
  model: Pick<Model, "tokenizer" | "config" | "plan" | "createSession">,
  text: string | readonly number[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Embedding> {
  const tokens = typeof text === "string" ? model.tokenizer.encode(text, { addBos: true }) : text;
  const { batchSize } = model.plan.options;
  const sums = new Float64Array(model.config.hiddenSize);
  const options = { hidden: "all", phase: "prefill", ...(signal && { signal }) } as const;
  const session = model.createSession();
  try {
    // Batch by batch: the rows of a long text take much memory together.
    for (let first = 0; first < Math.max(tokens.length, 1); first += batchSize) {
      const rows = await session.evaluate(tokens.slice(first, first + batchSize), options);
      for (let i = 0; i < rows.length; i++) sums[i % sums.length] += rows[i];
    }
  } finally {
    session.dispose();
  }
  return { vector: normalized(sums), tokens: tokens.length };
}

/** A vector of length 1 in the same direction. That of the sums is that of the mean. */
function normalized(sums: Float64Array): Float32Array {
  const norm = Math.sqrt(sums.reduce((total, sum) => total + sum * sum, 0));
  return Float32Array.from(sums, (sum) => (norm > 0 ? sum / norm : 0));
}
