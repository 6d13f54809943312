import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PlmConfig } from "../../../src/model/config.js";
import type { Batch } from "../../../src/training/data/batches.js";
import { createTrainingEngine } from "../../../src/training/engine/create-engine.js";
import type { TrainingEngine } from "../../../src/training/engine/engine.js";
import { NO_TARGET } from "../../../src/training/engine/kernels.js";
import { initializeParameters } from "../../../src/training/network/parameters.js";
import { withChangingPace } from "../../kernels/support/changing-pace.js";
import { relativeRms } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { keptByDropout } from "../reference/dropout.js";
import { PLM, type ReferenceForm, referenceLoss } from "../support/reference-model.js";

const CONFIG: PlmConfig = {
  vocabSize: 64,
  hiddenSize: 32,
  intermediateSize: 96,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  kvLoraRank: 32,
  qkNopeHeadDim: 8,
  qkRopeHeadDim: 8,
  vHeadDim: 16,
  rmsNormEps: 1e-6,
  ropeTheta: 100000,
  maxPositionEmbeddings: 64,
};
const CONTEXT = 12;
const SEQUENCES = 3;

/** Sequences of documents that begin anywhere. */
function randomBatch(seed: number, sequences = SEQUENCES): Batch {
  const random = seededRandom(seed);
  const length = sequences * CONTEXT;
  const words = (): Uint32Array => new Uint32Array(length);
  const batch = { ids: words(), targets: words(), positions: words(), starts: words() };
  for (let t = 0; t < length; t++) {
    const at = t % CONTEXT;
    const begins = at === 0 || random() < 0.2;
    batch.ids[t] = Math.floor(random() * CONFIG.vocabSize);
    batch.starts[t] = begins ? at : batch.starts[t - 1];
    batch.positions[t] = at - batch.starts[t];
    batch.targets[t] = random() < 0.15 ? NO_TARGET : Math.floor(random() * CONFIG.vocabSize);
  }
  return batch;
}

async function createEngine(threads = 1, sequences = SEQUENCES): Promise<TrainingEngine> {
  const sizes = { tokens: sequences * CONTEXT, contextLength: CONTEXT, threads };
  const engine = await createTrainingEngine({ config: CONFIG, sizes });
  assert.is(engine.threadFailure, undefined);
  const random = seededRandom(50);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  initializeParameters(engine.values, engine.parameters, 0.3, normal);
  // Norms that differ from 1, so that a gain that is left out shows.
  for (const { offset, cols, decays } of engine.parameters.all) {
    if (decays) continue;
    const gains = gaussian(cols, random, 0.05);
    gains.forEach((gain, i) => {
      engine.values[offset + i] += gain;
    });
  }
  engine.valuesWritten();
  return engine;
}

const update = (step: number): Parameters<TrainingEngine["update"]>[0] => ({
  ...{ step, rate: 0.01, beta1: 0.9, beta2: 0.95 },
  ...{ epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
});

test("losses are the reference's", async () => {
  const engine = await createEngine();
  for (const seed of [1, 2]) {
    const batch = randomBatch(seed);
    const expected = referenceLoss(engine.values, engine.parameters, CONFIG, {
      batch,
      contextLength: CONTEXT,
    });
    const { loss, targets } = engine.evaluate(batch);
    assert.is(targets, batch.targets.filter((target) => target !== NO_TARGET).length);
    assert.ok(Math.abs(loss - expected) < 1e-5 * expected, `${loss} against ${expected}`);
    assert.is(engine.addBatch(batch, 1).loss, loss);
  }
});

/** Sequences `first` to `end` of a batch. */
function sequencesOf(batch: Batch, first: number, end: number): Batch {
  const part = (words: Uint32Array): Uint32Array => words.subarray(first * CONTEXT, end * CONTEXT);
  const { ids, targets, positions, starts } = batch;
  return {
    ids: part(ids),
    targets: part(targets),
    positions: part(positions),
    starts: part(starts),
  };
}

test("a batch of several blocks of logits is the sum of its sequences", async () => {
  // 612 tokens: two blocks of 256, and a rest.
  const batch = randomBatch(5, 51);
  const parts = await createEngine();
  let expected = 0;
  for (let first = 0; first < 51; first += SEQUENCES) {
    expected += parts.addBatch(sequencesOf(batch, first, first + SEQUENCES), 1).loss;
  }
  for (const threads of [1, 3]) {
    const engine = await createEngine(threads, 51);
    const { loss } = engine.addBatch(batch, 1);
    assert.ok(Math.abs(loss - expected) < 1e-9 * expected, `${loss} against ${expected}`);
    for (const { name, offset, rows, cols } of engine.parameters.all) {
      const span = [offset, offset + rows * cols] as const;
      const error = relativeRms(
        engine.gradients.subarray(...span),
        parts.gradients.subarray(...span),
      );
      assert.ok(error < 1e-5, `${name}, ${threads} threads: ${error}`);
    }
    engine.dispose();
  }
});

/** Checks some of every tensor's gradients of `scale` times the loss of a batch. */
function assertGradients(
  engine: TrainingEngine,
  batch: Batch,
  scale: number,
  form: ReferenceForm = PLM,
): void {
  const values = Float64Array.from(engine.values);
  const lossAt = (i: number, value: number): number => {
    const before = values[i];
    values[i] = value;
    const sequences = { batch, contextLength: CONTEXT };
    const loss = referenceLoss(values, engine.parameters, CONFIG, sequences, form);
    values[i] = before;
    return loss;
  };
  const random = seededRandom(51);
  for (const { name, offset, rows, cols } of engine.parameters.all) {
    const gradients = engine.gradients.subarray(offset, offset + rows * cols);
    const rms = Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0) / gradients.length);
    assert.ok(rms > 0, name);
    for (let trial = 0; trial < 12; trial++) {
      const at = Math.floor(random() * gradients.length);
      const step = 1e-5;
      const value = values[offset + at];
      const rise = lossAt(offset + at, value + step) - lossAt(offset + at, value - step);
      const expected = (scale * rise) / (2 * step);
      const error = Math.abs(gradients[at] - expected);
      const bound = 2e-4 * (Math.abs(expected) + rms);
      assert.ok(error <= bound, `${name}[${at}]: expected ${expected}, got ${gradients[at]}`);
    }
  }
}

test("gradients of every parameter tensor are those of finite differences in f64", async () => {
  const engine = await createEngine();
  const batch = randomBatch(3);
  engine.addBatch(batch, 0.37);
  assertGradients(engine, batch, 0.37);
});

test("with dropout too, of the elements that the key leaves", async () => {
  const batch = randomBatch(8);
  const [share, key] = [0.25, 0xfedcba98];
  const dropout = (x: Float64Array, site: number, token: number): Float64Array =>
    x.map((value, i) => {
      const isKept = keptByDropout(token * CONFIG.hiddenSize + i, { share, key, site });
      return isKept ? value / (1 - share) : 0;
    });
  const engine = await createEngine(2);
  const { loss: whole } = engine.evaluate(batch);
  const { loss } = engine.addBatch(batch, 0.37, { share, key });
  const form = { ...PLM, dropout };
  const sequences = { batch, contextLength: CONTEXT };
  const expected = referenceLoss(engine.values, engine.parameters, CONFIG, sequences, form);
  assert.ok(Math.abs(loss - expected) < 1e-5 * expected, `${loss} against ${expected}`);
  assertGradients(engine, batch, 0.37, form);
  assert.is(engine.evaluate(batch).loss, whole, "nothing is dropped where nothing learns");
  engine.dispose();
});

test("gradients add up over batches, and clear forgets them", async () => {
  const engine = await createEngine();
  const [one, two] = [randomBatch(4), randomBatch(5)];
  engine.addBatch(one, 1);
  const first = engine.gradients.slice();
  engine.addBatch(two, 1);
  const both = engine.gradients.slice();
  engine.clear();
  assert.ok(engine.gradients.every((g) => g === 0));
  engine.addBatch(two, 1);
  const rms = Math.sqrt(both.reduce((sum, g) => sum + g * g, 0) / both.length);
  engine.gradients.forEach((g, i) => {
    assert.ok(Math.abs(first[i] + g - both[i]) <= 1e-5 * (Math.abs(both[i]) + rms));
  });
});

test("any number of threads, or one that changes, trains bit for bit the same", async () => {
  const run = async (threads: number): Promise<{ values: Float32Array; losses: number[] }> => {
    const engine = await createEngine(threads);
    const losses: number[] = [];
    for (let step = 1; step <= 4; step++) {
      engine.clear();
      losses.push(engine.addBatch(randomBatch(10 + step), 1 / 30).loss);
      losses.push(engine.update(update(step)));
    }
    losses.push(...engine.zeroShares());
    const values = engine.values.slice();
    engine.dispose();
    return { values, losses };
  };
  const alone = await run(1);
  for (const threads of [2, 3, 5]) assert.equal(await run(threads), alone, `${threads} threads`);
  const counts = await withChangingPace(3, async () => assert.equal(await run(3), alone));
  assert.equal(counts, [1, 2, 3]);
});

test("a gradient that is not finite is refused, and changes nothing", async () => {
  const engine = await createEngine();
  engine.values[engine.parameters.norm.offset] = Number.NaN;
  engine.valuesWritten();
  engine.addBatch(randomBatch(6), 1);
  const bits = (): Uint32Array => new Uint32Array(engine.values.slice().buffer);
  const before = bits();
  try {
    engine.update(update(7));
    assert.unreachable("expected TRAINING_DIVERGED");
  } catch (error) {
    assert.is((error as { code?: string }).code, "TRAINING_DIVERGED");
    assert.match((error as Error).message, "step 7");
  }
  assert.equal(bits(), before);
});

test("a few steps on one batch learn it", async () => {
  const engine = await createEngine();
  const batch = randomBatch(7);
  const { loss: before } = engine.evaluate(batch);
  for (let step = 1; step <= 60; step++) {
    engine.clear();
    const { targets } = engine.addBatch(batch, 1 / 30);
    assert.ok(targets > 0);
    engine.update(update(step));
  }
  const { loss: after } = engine.evaluate(batch);
  assert.ok(after < before / 4, `${before} before, ${after} after`);
});

test.run();
