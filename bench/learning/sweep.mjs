// Writes the texts and configs of the sweep in docs/learning.md: small models that read a tenth of
// the stories many times.
//   node bench/learning/sweep.mjs TEXTS HELD_OUT OUT
// TEXTS is the output of scripts/prepare-stories.mjs. Then run `plm train OUT/NAME.json --threads 1
// --out OUT/run-NAME`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [texts, heldOut, out] = process.argv.slice(2);
if (out === undefined) throw new Error("expected three paths: TEXTS HELD_OUT OUT");
const SEPARATOR = "<|endoftext|>";

const SMALL = {
  ...{ hiddenSize: 96, intermediateSize: 384, numHiddenLayers: 3, kvLoraRank: 32 },
  ...{ qkRopeHeadDim: 8, vHeadDim: 24 },
};
const LARGE = {
  model: {
    ...{ hiddenSize: 128, intermediateSize: 512, numHiddenLayers: 4, kvLoraRank: 64 },
    ...{ qkRopeHeadDim: 16, vHeadDim: 32 },
  },
  steps: 1500,
};
const SHORT_STABLE = { stable: 0.3, decay: 0.95, finalRate: 1e-4, curve: "linear" };
const TALES = { stories: 0.53, recased: 0.32, tales: 0.15 };

/** By name, the differences from configOf. Most have equal work: fewer steps if larger. */
const RUNS = {
  "decay-0.1": { weightDecay: 0.1 },
  "decay-1": { weightDecay: 1 },
  "decay-3": { weightDecay: 3 },
  "decay-1-dropout": { weightDecay: 1, dropout: 0.1 },
  "large-decay-1": { ...LARGE, weightDecay: 1 },
  "large-decay-1-dropout": { ...LARGE, weightDecay: 1, dropout: 0.1 },
  "large-short-stable": { ...LARGE, weightDecay: 1, dropout: 0.1, schedule: SHORT_STABLE },
  "large-tales": { ...LARGE, weightDecay: 1, dropout: 0.1, stable: TALES },
  "large-vocabulary-512": { ...LARGE, weightDecay: 1, dropout: 0.1, vocabSize: 512 },
  "large-vocabulary-2048": { ...LARGE, weightDecay: 1, dropout: 0.1, vocabSize: 2048 },
  "large-vocabulary-4096": { ...LARGE, weightDecay: 1, dropout: 0.1, vocabSize: 4096 },
  "large-longer": { ...LARGE, weightDecay: 1, dropout: 0.1, steps: 3000 },
  "large-longer-dropout-0.2": { ...LARGE, weightDecay: 1, dropout: 0.2, steps: 3000 },
};

function configOf({ model = SMALL, vocabSize = 1024, steps = 3200, ...run }) {
  const { weightDecay, dropout = 0, schedule, stable } = run;
  const mix = { stories: 0.62, recased: 0.38 };
  const text = (name) => [name, { path: `${name}.txt`, separator: SEPARATOR }];
  return {
    model: { ...model, numAttentionHeads: 4, qkNopeHeadDim: 16, maxPositionEmbeddings: 256 },
    tokenizer: { vocabSize, texts: ["stories", "recased"] },
    texts: {
      ...Object.fromEntries(["stories", "recased", "tales"].map(text)),
      "held-out": { path: "held-out.txt" },
    },
    phases: { stable: stable ?? mix, decay: mix },
    schedule: {
      ...{ steps, warmup: 0.03, stable: 0.6, decay: 0.9, peakRate: 3e-3, finalRate: 3e-4 },
      ...{ curve: "cosine", ...schedule },
    },
    batch: { tokens: 2048, contextLength: 256, accumulate: 1 },
    optimizer: { weightDecay },
    dropout,
    evaluation: { text: "held-out", every: steps / 10, stride: 256 },
    checkpoint: { every: 1000 },
    seed: 1,
  };
}

mkdirSync(out, { recursive: true });
for (const name of ["stories", "recased", "tales"]) {
  const documents = readFileSync(join(texts, `${name}.txt`), "utf8").split(`\n${SEPARATOR}\n`);
  const tenth = documents.filter((document) => document !== "").filter((_, i) => i % 10 === 0);
  writeFileSync(join(out, `${name}.txt`), `${tenth.join(`\n${SEPARATOR}\n`)}\n${SEPARATOR}\n`);
}
writeFileSync(join(out, "held-out.txt"), readFileSync(heldOut, "utf8").slice(0, 200_000));
for (const [name, run] of Object.entries(RUNS)) {
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(configOf(run), null, 2)}\n`);
}
