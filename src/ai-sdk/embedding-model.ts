/** A PLM as an embedding model of the AI SDK. */
import { embed } from "../generation/embed.js";
import type { LanguageModelParts } from "./language-model.js";
import type { PlmEmbeddingModel, Warning } from "./specification.js";

/** The embedding model: normalised means of the last hidden states. */
export function createEmbeddingModel(
  parts: Pick<LanguageModelParts, "provider" | "modelId" | "load">,
): PlmEmbeddingModel {
  const { provider, modelId, load } = parts;
  return {
    specificationVersion: "v4",
    provider,
    modelId,
    maxEmbeddingsPerCall: Infinity,
    supportsParallelCalls: true,
    async doEmbed({ values, dimensions, abortSignal: signal }) {
      const model = await load();
      signal?.throwIfAborted();
      const warnings: Warning[] = [];
      const { hiddenSize } = model.config;
      if (dimensions !== undefined && dimensions !== hiddenSize) {
        const details = `embeddings have ${hiddenSize} dimensions`;
        warnings.push({ type: "unsupported", feature: "dimensions", details });
      }
      const embeddings: number[][] = [];
      let tokens = 0;
      for (const value of values) {
        const embedding = await embed(model, value, { signal });
        embeddings.push(Array.from(embedding.vector));
        tokens += embedding.tokens;
      }
      return { embeddings, usage: { tokens }, warnings };
    },
  };
}
