/** A small training run: some made-up text, and a config that learns it in a second. */
import { seededRandom } from "../../support/random.js";

const WORDS = [
  ...["the", "a", "cat", "dog", "bird", "tree", "house", "river", "saw", "found", "liked"],
  ...["big", "small", "red", "and", "then", "under", "near", "was", "happy", "ran", "slept"],
];

/** `count` documents of some sentences, between lines `<|endoftext|>`. */
export function madeUpText(count: number, seed = 60): string {
  const random = seededRandom(seed);
  const word = (): string => WORDS[Math.floor(random() ** 2 * WORDS.length)];
  const sentence = (): string =>
    `${Array.from({ length: 4 + Math.floor(random() * 6) }, word).join(" ")}.`;
  const document = (): string =>
    Array.from({ length: 3 + Math.floor(random() * 5) }, sentence).join(" ");
  return Array.from({ length: count }, document).join("\n<|endoftext|>\n");
}

/** A config as JSON, over texts `text.txt` and `held-out.txt`. */
export function smallConfig({
  steps = 12,
  checkpoint = 5,
}: {
  steps?: number;
  checkpoint?: number;
} = {}): Record<string, unknown> {
  const separator = "<|endoftext|>";
  return {
    model: {
      ...{ hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 2, numAttentionHeads: 2 },
      ...{ kvLoraRank: 32, qkNopeHeadDim: 8, qkRopeHeadDim: 8, vHeadDim: 16 },
      maxPositionEmbeddings: 64,
    },
    tokenizer: { vocabSize: 288, texts: ["text"] },
    texts: {
      text: { path: "text.txt", separator },
      "held-out": { path: "held-out.txt", separator },
    },
    phases: { stable: { text: 1 } },
    schedule: {
      ...{ steps, warmup: 0.1, stable: 0.6, decay: 0.9 },
      ...{ peakRate: 0.01, finalRate: 0.001, curve: "cosine" },
    },
    batch: {
      ...{ tokens: 64, contextLength: 32 },
      accumulate: [
        [0, 1],
        [0.5, 2],
      ],
    },
    dropout: 0.1,
    evaluation: { text: "held-out", every: 4, stride: 16 },
    checkpoint: { every: checkpoint },
    seed: 3,
  };
}
