import { test } from "uvu";
import * as assert from "uvu/assert";
import { architectureOf, type LayerParts } from "../../bench/learning/architectures.js";
import type { PlmConfig } from "../../src/model/config.js";
import type { Batch } from "../../src/training/data/batches.js";
import { createTrainingEngine } from "../../src/training/engine/create-engine.js";
import type { TrainingEngine } from "../../src/training/engine/engine.js";
import { NO_TARGET } from "../../src/training/engine/kernels.js";
import type { Architecture } from "../../src/training/network/architecture.js";
import { initializeParameters } from "../../src/training/network/parameters.js";
import { assertRejects } from "../model/support/engine.js";
import { gaussian, seededRandom } from "../support/random.js";
import { type ReferenceForm, referenceLoss } from "../training/support/reference-model.js";

const CONFIG: PlmConfig = {
  vocabSize: 40,
  hiddenSize: 24,
  intermediateSize: 32,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  kvLoraRank: 16,
  qkNopeHeadDim: 8,
  qkRopeHeadDim: 4,
  vHeadDim: 12,
  rmsNormEps: 1e-6,
  ropeTheta: 100000,
  maxPositionEmbeddings: 64,
};
const SIZES = { tokens: 20, contextLength: 10 };

const silu = (x: number): number => x / (1 + Math.exp(-x));
const gelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Each activation as in its paper. */
const ACTIVATIONS: Readonly<Record<LayerParts["activation"], ReferenceForm["activation"]>> = {
  relu2: (up) => up.map((u) => Math.max(u, 0) ** 2),
  gelu: (up) => up.map(gelu),
  swiglu: (up) => up.slice(0, up.length / 2).map((gate, i) => silu(gate) * up[up.length / 2 + i]),
};

/** Sequences with documents that begin anywhere; some tokens have no target. */
function randomBatch(seed: number): Batch {
  const random = seededRandom(seed);
  const words = (): Uint32Array => new Uint32Array(SIZES.tokens);
  const batch = { ids: words(), targets: words(), positions: words(), starts: words() };
  for (let t = 0; t < SIZES.tokens; t++) {
    const at = t % SIZES.contextLength;
    batch.ids[t] = Math.floor(random() * CONFIG.vocabSize);
    batch.starts[t] = at === 0 || random() < 0.2 ? at : batch.starts[t - 1];
    batch.positions[t] = at - batch.starts[t];
    batch.targets[t] = random() < 0.15 ? NO_TARGET : Math.floor(random() * CONFIG.vocabSize);
  }
  return batch;
}

function createEngine(architecture?: Architecture): Promise<TrainingEngine> {
  const sizes = { ...SIZES, threads: 1 };
  return createTrainingEngine({ config: CONFIG, sizes, architecture });
}

/** Fills the parameters; norms differ from 1, so that a missing gain shows. */
function fill(engine: TrainingEngine): void {
  const random = seededRandom(70);
  const normal = (): number => gaussian(1, random)[0];
  initializeParameters(engine.values, engine.parameters, 0.3, normal);
  for (const { offset, cols, decays } of engine.parameters.all) {
    if (decays) continue;
    for (let i = 0; i < cols; i++) engine.values[offset + i] += 0.05 * normal();
  }
  engine.valuesWritten();
}

const ALL_PARTS: readonly LayerParts[] = [
  { attention: "mla", activation: "gelu" },
  { attention: "mla", activation: "swiglu" },
  { attention: "full", activation: "relu2" },
  { attention: "full", activation: "swiglu" },
];

for (const parts of ALL_PARTS) {
  const { attention, activation } = parts;
  const form = { activation: ACTIVATIONS[activation], latent: attention === "mla" };

  test(`${attention}, ${activation}: loss and gradients are the reference's`, async () => {
    const engine = await createEngine(architectureOf(parts));
    fill(engine);
    const batch = randomBatch(71);
    const scale = 0.37;
    const values = Float64Array.from(engine.values);
    const { contextLength } = SIZES;
    const reference = (): number =>
      referenceLoss(values, engine.parameters, CONFIG, { batch, contextLength }, form);
    const expected = reference();
    const { loss } = engine.addBatch(batch, scale);
    assert.ok(Math.abs(loss - expected) < 1e-5 * expected, `${loss} against ${expected}`);
    const random = seededRandom(72);
    for (const { name, offset, rows, cols } of engine.parameters.all) {
      const gradients = engine.gradients.subarray(offset, offset + rows * cols);
      const rms = Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0) / gradients.length);
      assert.ok(rms > 0, name);
      for (let trial = 0; trial < 6; trial++) {
        const at = Math.floor(random() * gradients.length);
        const value = values[offset + at];
        const step = 1e-5;
        const lossAt = (moved: number): number => {
          values[offset + at] = moved;
          return reference();
        };
        const rise = lossAt(value + step) - lossAt(value - step);
        values[offset + at] = value;
        const slope = (scale * rise) / (2 * step);
        const error = Math.abs(gradients[at] - slope);
        const bound = 2e-4 * (Math.abs(slope) + rms);
        assert.ok(error <= bound, `${name}[${at}]: expected ${slope}, got ${gradients[at]}`);
      }
    }
  });
}

test("an architecture other than PLM is refused more than one thread", async () => {
  const architecture = architectureOf({ attention: "full", activation: "relu2" });
  const refused = createTrainingEngine({
    config: CONFIG,
    sizes: { ...SIZES, threads: 2 },
    architecture,
  });
  const message = "threads: expected 1 for an architecture other than PLM, got 2";
  await assertRejects(refused, "INVALID_ARGUMENT", message);
});

test("the variant equal to PLM trains bit for bit like PLM", async () => {
  const plm = await createEngine();
  const variant = await createEngine(architectureOf({ attention: "mla", activation: "relu2" }));
  const trained = [plm, variant].map((engine) => {
    fill(engine);
    const options = {
      rate: 0.01,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0.1,
      clip: 1,
    };
    for (let step = 1; step <= 3; step++) {
      engine.clear();
      engine.addBatch(randomBatch(step), 1 / SIZES.tokens);
      engine.update({ step, ...options });
    }
    return engine.values;
  });
  assert.equal(trained[0], trained[1]);
});

test.run();
