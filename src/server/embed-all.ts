/** Embeddings of the texts of a request. */
import { embed } from "../generation/embed.js";
import type { AnswerContext } from "./answer.js";

/** The embedding of each input, one after another. */
export async function embedAll(
  { serving, signal, counts }: AnswerContext,
  inputs: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const { model, admission, clock, metrics } = serving;
  for (const tokens of inputs) serving.checkPrompt(tokens, "input");
  const [ticket] = admission.reserve(1);
  try {
    await ticket.start(signal);
    const embeddings: Float32Array[] = [];
    for (const tokens of inputs) {
      const startMs = clock.now();
      embeddings.push((await embed(model, tokens, { signal })).vector);
      metrics.addPrompt(tokens.length, clock.now() - startMs);
      counts.promptTokens += tokens.length;
    }
    return embeddings;
  } finally {
    ticket.end();
  }
}
