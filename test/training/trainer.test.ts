import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { trainTokenizer } from "../../src/tokenizer/train.js";
import {
  splitDocuments,
  type TokenizedText,
  tokenizeDocuments,
} from "../../src/training/data/corpus.js";
import { createTrainingEngine } from "../../src/training/engine/create-engine.js";
import type { TrainingEngine } from "../../src/training/engine/engine.js";
import { evaluate } from "../../src/training/evaluate.js";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/training/run/checkpoint.js";
import { type CheckpointStore, Checkpoints } from "../../src/training/run/checkpoints.js";
import type { TrainingConfig } from "../../src/training/run/config.js";
import type { LogLine } from "../../src/training/run/log.js";
import { checkTrainingConfig } from "../../src/training/run/parse-config.js";
import { Trainer, type TrainerParts } from "../../src/training/trainer.js";
import { assertRejects } from "../model/support/engine.js";
import { memoryStore } from "./support/memory-store.js";
import { referenceLoss } from "./support/reference-model.js";
import { madeUpText, smallConfig } from "./support/small-run.js";

const SEPARATOR = "<|endoftext|>";
const documents = splitDocuments("text", madeUpText(200), SEPARATOR);
const vocabulary = await trainTokenizer(documents, { vocabSize: 288 });

function tokenize(name: string, texts: string[]): TokenizedText {
  return tokenizeDocuments(name, texts, new Tokenizer(vocabulary), vocabulary.eosTokenId);
}

const text = tokenize("text", documents);
const heldOut = tokenize("held-out", splitDocuments("held-out", madeUpText(9, 61), SEPARATOR));

async function createTrainer(
  store: CheckpointStore,
  config: TrainingConfig = checkTrainingConfig(smallConfig()),
  changes: Partial<TrainerParts> = {},
): Promise<{ trainer: Trainer; engine: TrainingEngine }> {
  const { tokens, contextLength } = config.batch;
  const sizes = { tokens, contextLength, threads: 1 };
  const engine = await createTrainingEngine({ config: config.model, sizes });
  const checkpoints = new Checkpoints(store, config);
  const parts = { config, engine, texts: [text], heldOut, checkpoints };
  return { trainer: new Trainer({ ...parts, ...changes }), engine };
}

/** A line without its speed. */
function said({ tokensPerSecond, ...line }: LogLine): Omit<LogLine, "tokensPerSecond"> {
  assert.ok(tokensPerSecond > 0);
  return line;
}

test("a run learns, and its log has every step", async () => {
  const { trainer } = await createTrainer(memoryStore());
  assert.is(await trainer.start(), undefined);
  const lines: LogLine[] = [];
  const best: number[] = [];
  await trainer.run({
    onStep: (line) => void lines.push(line),
    onBest: ({ step }) => void best.push(step),
  });
  assert.equal(
    lines.map(({ step }) => step),
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  // 64 tokens a step for 6 steps, then 128.
  assert.is(lines.at(-1)!.tokens, 6 * 64 + 6 * 128);
  assert.equal(
    lines.filter(({ evaluation }) => evaluation).map(({ step }) => step),
    [4, 8, 12],
  );
  assert.ok(lines[11].loss! < 0.8 * lines[0].loss!, `${lines[0].loss} to ${lines[11].loss}`);
  assert.equal(best, [4, 8, 12]);
  assert.ok(lines[11].zeroShares.every((share) => share > 0 && share < 1));
});

test("a run that was aborted goes on to the last digit as if it had not been", async () => {
  const whole: LogLine[] = [];
  const one = await createTrainer(memoryStore());
  await one.trainer.start();
  await one.trainer.run({ onStep: (line) => void whole.push(line) });

  const store = memoryStore();
  const parts: LogLine[] = [];
  for (const stopAt of [3, 7, 8, Infinity]) {
    const { trainer, engine } = await createTrainer(store);
    await trainer.start();
    const controller = new AbortController();
    const onStep = (line: LogLine): void => {
      parts.push(line);
      if (line.step === stopAt) controller.abort(new Error("enough"));
    };
    const ended = trainer.run({ onStep }, controller.signal);
    if (stopAt === Infinity) await ended;
    else {
      await ended.then(
        () => assert.unreachable("expected an abort"),
        (error: Error) => assert.is(error.message, "enough"),
      );
    }
    if (stopAt === Infinity) assert.equal(engine.values, one.engine.values);
  }
  assert.equal(parts.map(said), whole.map(said));
});

test("the loss on held-out text is that of every target once, windows overlapping", async () => {
  const { trainer, engine } = await createTrainer(memoryStore());
  await trainer.start();
  await trainer.run();
  const { config, parameters, values } = engine;
  const score = (from: number, count: number, scoredFrom: number): number => {
    const words = (value: (i: number) => number): Uint32Array =>
      Uint32Array.from({ length: count }, (_, i) => value(i));
    const batch = {
      ids: words((i) => heldOut.tokens[from + i]),
      targets: words((i) => (i < scoredFrom ? 0xffffffff : heldOut.tokens[from + i + 1])),
      positions: words((i) => i),
      starts: words(() => 0),
    };
    return referenceLoss(values, parameters, config, { batch, contextLength: count });
  };
  let expected = heldOut.ends.length * Math.log(config.vocabSize);
  let first = 0;
  for (const end of heldOut.ends) {
    // A document's first window scores all of its 32, later ones the last 16.
    for (let from = first, scored = first; scored < end - 1; from += 16) {
      const count = Math.min(32, end - 1 - from);
      expected += score(from, count, scored - from);
      scored = from + count;
    }
    first = end;
  }
  const { loss, perplexity, bitsPerByte } = evaluate(engine, heldOut, 16);
  const mean = expected / heldOut.tokens.length;
  assert.ok(Math.abs(loss - mean) < 1e-5 * mean, `${loss} against ${mean}`);
  assert.is(perplexity, Math.exp(loss));
  const bits = (loss * heldOut.tokens.length) / Math.LN2 / heldOut.bytes;
  assert.ok(Math.abs(bitsPerByte - bits) < 1e-9);
});

test("a loss that is not finite ends the run, and keeps the last checkpoint", async () => {
  const store = memoryStore();
  const { trainer, engine } = await createTrainer(store);
  await trainer.start();
  const onStep = ({ step }: LogLine): void => {
    if (step === 6) engine.values[engine.parameters.norm.offset] = Number.NaN;
  };
  try {
    await trainer.run({ onStep });
    assert.unreachable("expected TRAINING_DIVERGED");
  } catch (error) {
    assert.is((error as { code?: string }).code, "TRAINING_DIVERGED");
    assert.match((error as Error).message, "step 7: expected a finite loss, got NaN");
  }
  const again = await createTrainer(store);
  assert.equal(await again.trainer.start(), { name: "step-000000005.checkpoint", damaged: [] });
  await again.trainer.run();
  assert.is(again.trainer.step, 12);
});

test("a loss on held-out text that is not finite ends the run, and is no best one", async () => {
  const { trainer, engine } = await createTrainer(memoryStore());
  await trainer.start();
  const update = engine.update.bind(engine);
  engine.update = (options) => {
    const norm = update(options);
    if (options.step === 8) engine.values[engine.parameters.norm.offset] = Number.NaN;
    return norm;
  };
  const best: number[] = [];
  const ended = trainer.run({ onBest: ({ step }) => void best.push(step) });
  const message = "step 8: expected a finite loss on held-out text, got NaN";
  await assertRejects(ended, "TRAINING_DIVERGED", message);
  assert.equal(best, [4]);
});

test("a best loss counts as long as its model is there and it was measured alike", async () => {
  const config = checkTrainingConfig(smallConfig({ checkpoint: 4 }));
  const store = memoryStore();
  const { trainer } = await createTrainer(store, config);
  await trainer.start();
  await trainer.run();
  const [name] = (await store.list()).filter((file) => file.includes("8"));
  const { best, ...checkpoint } = decodeCheckpoint(await store.read(name), config);
  const bestSteps = async (changes: Partial<TrainerParts>, saved: typeof best) => {
    const from = memoryStore();
    const parts = { ...checkpoint, ...(saved && { best: saved }) };
    await from.writeAtomically(name, encodeCheckpoint(parts, config));
    const again = await createTrainer(from, config, changes);
    await again.trainer.start();
    const steps: number[] = [];
    await again.trainer.run({ onBest: ({ step }) => void steps.push(step) });
    return steps;
  };
  const unbeaten = { ...best!, loss: 0.1 };
  assert.equal(await bestSteps({}, best), [12]);
  assert.equal(await bestSteps({}, unbeaten), []);
  assert.equal(await bestSteps({ lacksBest: true }, unbeaten), [12]);
  assert.equal(await bestSteps({}, { ...unbeaten, stride: 8 }), [12]);
  assert.equal(await bestSteps({}, { ...unbeaten, fingerprint: 1 }), [12]);
  assert.equal(await bestSteps({}, undefined), [12]);
});

test("the heap does not grow with steps", () => {
  const program = "build/test/training/support/heap-growth.js";
  const grown = Number(execFileSync(process.execPath, ["--expose-gc", program]));
  // A kilobyte a step would be 100,000 bytes.
  assert.ok(grown < 30_000, `${grown} bytes in 100 steps`);
});

test.run();
