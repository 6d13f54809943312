/** A sound small training config, for tests to change. */
import type { TrainingConfig } from "../../../src/training/run/config.js";
import { parseTrainingConfig } from "../../../src/training/run/parse-config.js";

/** A config's JSON, by sections. */
export type ConfigJson = Record<string, Record<string, unknown>>;

/** A fresh copy of the config's JSON. */
export function configJson(): ConfigJson {
  return {
    model: {
      ...{ hiddenSize: 64, intermediateSize: 128, numHiddenLayers: 2, numAttentionHeads: 4 },
      ...{ kvLoraRank: 32, qkNopeHeadDim: 16, qkRopeHeadDim: 8, vHeadDim: 16 },
      maxPositionEmbeddings: 128,
    },
    tokenizer: { vocabSize: 512, texts: ["stories"] },
    texts: {
      stories: { path: "stories.txt", separator: "<|endoftext|>" },
      prose: { path: "prose.txt" },
      held: { path: "held.txt" },
    },
    phases: { stable: { stories: 3, prose: 1 }, decay: { stories: 1 } },
    schedule: {
      ...{ steps: 1000, warmup: 0.02, stable: 0.6, decay: 0.9 },
      ...{ peakRate: 3e-3, finalRate: 3e-4, curve: "cosine" },
    },
    batch: { tokens: 256, contextLength: 64 },
    evaluation: { text: "held", every: 100 },
  };
}

/** The config of that JSON with `change` made to it. */
export function trainingConfig(change: (json: ConfigJson) => void = () => {}): TrainingConfig {
  const json = configJson();
  change(json);
  return parseTrainingConfig(JSON.stringify(json));
}
