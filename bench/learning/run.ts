/** One run of a variant: the product's trainer, texts and schedule around the variant's engine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { trainTokenizer } from "../../src/tokenizer/train.js";
import {
  decodeText,
  splitDocuments,
  type TokenizedText,
  tokenizeDocuments,
} from "../../src/training/data/corpus.js";
import { createTrainingEngine } from "../../src/training/engine/create-engine.js";
import { type CheckpointStore, Checkpoints } from "../../src/training/run/checkpoints.js";
import type { TrainingConfig } from "../../src/training/run/config.js";
import type { LogLine } from "../../src/training/run/log.js";
import { Trainer } from "../../src/training/trainer.js";
import { architectureOf } from "./architectures.js";
import type { Variant } from "./variants.js";

/** Tokens of an update, and of a sequence. */
const BATCH_TOKENS = 1024;
const CONTEXT_LENGTH = 128;

/** What is learnt, and what the loss is measured on. */
export interface Texts {
  readonly learnt: TokenizedText;
  readonly heldOut: TokenizedText;
}

/** What a run came to. */
export interface RunResult {
  readonly variant: string;
  readonly seed: number;
  /** Tokens learnt from. */
  readonly tokens: number;
  readonly parameters: number;
  /** On held-out text, nats a token, windows of a whole context without overlap. */
  readonly loss: number;
  readonly bitsPerByte: number;
  /** By layer, the mean of the last tenth of the steps. */
  readonly zeroShares: readonly number[];
  /** Mean training loss of each hundredth of the run: step, nats a token. */
  readonly curve: readonly (readonly [step: number, loss: number])[];
}

/** Reads TinyStories from a folder, in a vocabulary that its training part gives. */
export async function readTexts(folder: string, vocabSize: number): Promise<Texts> {
  const documents = (name: string, separator?: string): string[] =>
    splitDocuments(name, decodeText(name, readFileSync(join(folder, name))), separator);
  const stories = documents("tinystories-train.txt", "<|endoftext|>");
  const vocabulary = await trainTokenizer(stories, { vocabSize });
  const tokenizer = new Tokenizer(vocabulary);
  const { eosTokenId } = vocabulary;
  const heldOut = documents("tinystories-valid-0.8MB.no-separators.txt");
  return {
    learnt: tokenizeDocuments("stories", stories, tokenizer, eosTokenId),
    heldOut: tokenizeDocuments("held-out", heldOut, tokenizer, eosTokenId),
  };
}

/** A store that keeps nothing: these runs are short. */
const NOWHERE: CheckpointStore = {
  list: async () => [],
  read: async (name) => Promise.reject(new Error(`${name}: nothing is kept`)),
  writeAtomically: async () => {},
  remove: async () => {},
};

function configOf({ model, schedule }: Variant, seed: number, tokens: number): TrainingConfig {
  const steps = Math.ceil(tokens / BATCH_TOKENS);
  const mix = { stories: 1 };
  return {
    model,
    tokenizer: { vocabSize: model.vocabSize, texts: ["stories"] },
    texts: {},
    phases: { stable: mix, decay: mix, constant: mix },
    schedule: { ...schedule, steps },
    batch: { tokens: BATCH_TOKENS, contextLength: CONTEXT_LENGTH, accumulate: [[0, 1]] },
    optimizer: {
      ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8 },
      ...{ weightDecay: 0.1, clip: 1, initStd: 0.02 },
    },
    dropout: 0,
    evaluation: { text: "held-out", every: steps, stride: CONTEXT_LENGTH },
    checkpoint: { every: steps },
    seed,
  };
}

/** Trains a variant on at least `tokens` tokens; batches are the same for the same seed. */
export async function runVariant(
  variant: Variant,
  { learnt, heldOut }: Texts,
  { seed, tokens }: { readonly seed: number; readonly tokens: number },
): Promise<RunResult> {
  const config = configOf(variant, seed, tokens);
  const engine = await createTrainingEngine({
    config: variant.model,
    sizes: { tokens: BATCH_TOKENS, contextLength: CONTEXT_LENGTH, threads: 1 },
    architecture: architectureOf(variant),
  });
  const checkpoints = new Checkpoints(NOWHERE, config);
  const trainer = new Trainer({ config, engine, texts: [learnt], heldOut, checkpoints });
  const lines: LogLine[] = [];
  await trainer.start();
  await trainer.run({ onStep: (line) => void lines.push(line) });
  const last = lines[lines.length - 1];
  const { all } = engine.parameters;
  return {
    variant: variant.name,
    seed,
    tokens: last.tokens,
    parameters: all.reduce((sum, { rows, cols }) => sum + rows * cols, 0),
    loss: last.evaluation!.loss,
    bitsPerByte: last.evaluation!.bitsPerByte,
    zeroShares: lastZeroShares(lines),
    curve: curveOf(lines),
  };
}

function lastZeroShares(lines: readonly LogLine[]): number[] {
  const last = lines.slice(-Math.ceil(lines.length / 10));
  return last[0].zeroShares.map((_, layer) => mean(last.map((line) => line.zeroShares[layer])));
}

function curveOf(lines: readonly LogLine[]): [number, number][] {
  const size = Math.ceil(lines.length / 100);
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, i) => {
    const part = lines.slice(i * size, (i + 1) * size);
    return [part[part.length - 1].step, mean(part.map(({ loss }) => loss ?? Number.NaN))];
  });
}

/** The arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
