/** Embeddings of texts: the mean of their last hidden states, of length 1. */
import type { AnswerContext } from "./answer.js";

/** The embedding of each input, one after another. */
export async function embed(
  { serving, signal, counts }: AnswerContext,
  inputs: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  for (const tokens of inputs) serving.checkPrompt(tokens, "input");
  const [ticket] = serving.admission.reserve(1);
  try {
    await ticket.start(signal);
    const embeddings: Float32Array[] = [];
    for (const tokens of inputs) {
      embeddings.push(await embedOne(serving, tokens, signal));
      counts.promptTokens += tokens.length;
    }
    return embeddings;
  } finally {
    ticket.end();
  }
}

async function embedOne(
  { model, clock, metrics }: AnswerContext["serving"],
  tokens: readonly number[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const { hiddenSize } = model.config;
  const { batchSize } = model.plan.options;
  const sum = new Float64Array(hiddenSize);
  const startMs = clock.now();
  const session = model.createSession();
  try {
    for (let start = 0; start < tokens.length; start += batchSize) {
      const part = tokens.slice(start, start + batchSize);
      const hidden = await session.evaluate(part, { hidden: "all", phase: "prefill", signal });
      for (let i = 0; i < hidden.length; i++) sum[i % hiddenSize] += hidden[i];
    }
  } finally {
    session.dispose();
    metrics.addPrompt(tokens.length, clock.now() - startMs);
  }
  return normalise(sum);
}

/** The direction of a vector; the mean has the same as the sum. */
function normalise(sum: Float64Array): Float32Array {
  const length = Math.sqrt(sum.reduce((total, x) => total + x * x, 0));
  return Float32Array.from(sum, (x) => (length > 0 ? x / length : 0));
}
