import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Candidates,
  createCandidates,
  selectAll,
  selectTopK,
} from "../../src/generation/candidates.js";
import { draw } from "../../src/generation/draw.js";
import { createRandomSource } from "../../src/generation/random.js";
import { createSampler, type SamplerOptions, sampleGreedy } from "../../src/generation/samplers.js";
import { keepMinP, keepTopP, keepTypicalP } from "../../src/generation/truncation.js";
import { seededRandom } from "../support/random.js";
import * as oracle from "./support/oracle.js";
import { OFF } from "./support/sampler-options.js";

/** Logits of these probabilities. */
const logitsOf = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);

function candidatesOf(logits: Float32Array, k = 0): Candidates {
  const candidates = createCandidates(logits.length);
  if (k > 0) selectTopK(logits, k, candidates);
  else selectAll(logits, candidates);
  return candidates;
}

const idsOf = ({ ids, length }: Candidates) => Array.from(ids.subarray(0, length));
const byId = (ids: number[]) => ids.slice().sort((a, b) => a - b);

/** The tokens that can come out, found by drawing all over [0, 1). */
function support(options: Partial<SamplerOptions>, logits: Float32Array): number[] {
  let step = 0;
  const sample = createSampler({ ...OFF, ...options }, () => (step++ % 1000) / 1000);
  return byId([...new Set(Array.from({ length: 1000 }, () => sample(logits)))]);
}

test("greedy takes the best, the lowest id among equals", () => {
  assert.is(sampleGreedy(Float32Array.of(1, 3, 2, 3)), 1);
  assert.is(sampleGreedy(Float32Array.of(-5, -Infinity, -4, -6)), 2);
  assert.is(createSampler({ ...OFF, temperature: 0 }, () => 0.99)(logitsOf(0.2, 0.3, 0.5)), 2);
});

test("greedy refuses logits that are not numbers", () => {
  assert.throws(() => sampleGreedy(Float32Array.of(1, Number.NaN)), /got NaN for token 1/);
  assert.throws(() => sampleGreedy(Float32Array.of(Number.NaN, 1)), /got NaN for token 0/);
  assert.throws(() => sampleGreedy(Float32Array.of(1, Infinity)), /got Infinity for token 1/);
  assert.throws(() => sampleGreedy(new Float32Array(4).fill(-Infinity)), /all are banned/);
});

test("each truncation keeps what it should of 0.1, 0.5, 0.1, 0.3", () => {
  const logits = logitsOf(0.1, 0.5, 0.1, 0.3);
  assert.equal(support({}, logits), [0, 1, 2, 3]);
  assert.equal(support({ topK: 1 }, logits), [1]);
  assert.equal(support({ topK: 3 }, logits), [0, 1, 3]);
  assert.equal(support({ topK: 99 }, logits), [0, 1, 2, 3]);
  assert.equal(support({ topP: 0 }, logits), [1]);
  assert.equal(support({ topP: 0.45 }, logits), [1]);
  assert.equal(support({ topP: 0.6 }, logits), [1, 3]);
  assert.equal(support({ topP: 0.85 }, logits), [0, 1, 3]);
  assert.equal(support({ minP: 0.1 }, logits), [0, 1, 2, 3]);
  assert.equal(support({ minP: 0.5 }, logits), [1, 3]);
  assert.equal(support({ minP: 1 }, logits), [1]);
});

test("a share that is reached exactly is enough", () => {
  const logits = Float32Array.of(2, 2, 2, 2);
  assert.equal(support({ topP: 0.5 }, logits), [0, 1]);
  assert.equal(support({ topP: 0.51 }, logits), [0, 1, 2]);
  assert.equal(support({ typicalP: 0.25 }, logits), [0]);
});

test("typical-p may leave out the most probable token", () => {
  // Entropy 1.09 nats. Surprises 0.51, 1.61, 2.30, 2.30: distances 0.58, 0.52, 1.21, 1.21.
  const logits = logitsOf(0.6, 0.2, 0.1, 0.1);
  assert.equal(support({ typicalP: 0.1 }, logits), [1]);
  assert.equal(support({ typicalP: 0.5 }, logits), [0, 1]);
  const peaked = logitsOf(0.4, 0.2, 0.2, 0.2);
  // Entropy 1.33 nats. Surprises 0.92 and 1.61: distances 0.42 and 0.28.
  assert.equal(support({ typicalP: 0.5 }, peaked), [1, 2, 3]);
});

test("each step sees only what the one before has left", () => {
  const logits = logitsOf(0.4, 0.3, 0.2, 0.1);
  // Among the best two, the first has a share of 0.57.
  assert.equal(support({ topP: 0.55 }, logits), [0, 1]);
  assert.equal(support({ topK: 2, topP: 0.55 }, logits), [0]);
});

test("temperature does not change what is cut", () => {
  const logits = logitsOf(0.1, 0.5, 0.1, 0.3);
  for (const temperature of [0.5, 1, 2]) {
    assert.equal(support({ temperature, topP: 0.6 }, logits), [1, 3]);
    assert.equal(support({ temperature, minP: 0.5 }, logits), [1, 3]);
  }
});

test("truncations equal a full sort, from top-k or from all, ties included", () => {
  const random = seededRandom(3);
  for (let round = 0; round < 1000; round++) {
    const logits = oracle.tiedLogits(1 + Math.floor(random() * 120), random);
    const k = random() < 0.5 ? 0 : 1 + Math.floor(random() * logits.length);
    const share = random();
    const expected = oracle.topK(oracle.sortedIds(logits), k);
    const what = `round ${round}, k ${k}, share ${share}`;

    const nucleus = candidatesOf(logits, k);
    keepTopP(nucleus, share);
    assert.equal(idsOf(nucleus), oracle.topP(logits, expected, share), `top-p, ${what}`);

    const probable = candidatesOf(logits, k);
    keepMinP(probable, share);
    assert.equal(
      byId(idsOf(probable)),
      byId(oracle.minP(logits, expected, share)),
      `min-p, ${what}`,
    );

    const typical = candidatesOf(logits, k);
    keepTypicalP(typical, share, (id) => logits[id], createCandidates(logits.length));
    assert.equal(
      byId(idsOf(typical)),
      byId(oracle.typicalP(logits, expected, share)),
      `typical-p, ${what}`,
    );
  }
});

test("the whole chain equals the slow one", () => {
  const random = seededRandom(4);
  for (let round = 0; round < 300; round++) {
    const logits = oracle.tiedLogits(1 + Math.floor(random() * 120), random);
    const options: SamplerOptions = {
      ...OFF,
      temperature: 1e9,
      topK: random() < 0.5 ? 0 : 1 + Math.floor(random() * 60),
      typicalP: random() < 0.5 ? 1 : random(),
      topP: random() < 0.3 ? 1 : random(),
      minP: random() < 0.3 ? 0 : 0.3 * random(),
    };
    let kept = oracle.topK(oracle.sortedIds(logits), options.topK);
    kept = oracle.typicalP(logits, kept, options.typicalP);
    kept = oracle.topP(logits, kept, options.topP);
    kept = oracle.minP(logits, kept, options.minP);
    // So hot that what is kept comes equally often; 1000 draws at even steps find all of it.
    assert.equal(support(options, logits), byId(kept), JSON.stringify(options));
  }
});

test("tokens come as often as their probability says, at several temperatures", () => {
  const logits = logitsOf(0.1, 0.5, 0.1, 0.3);
  for (const temperature of [0.5, 1, 2]) {
    const sample = createSampler({ ...OFF, temperature }, createRandomSource(11));
    const counts = [0, 0, 0, 0];
    const draws = 20000;
    for (let i = 0; i < draws; i++) counts[sample(logits)]++;
    const expected = oracle.softmax(logits, [0, 1, 2, 3], temperature);
    const chiSquare = counts.reduce(
      (sum, count, id) => sum + (count - draws * expected[id]) ** 2 / (draws * expected[id]),
      0,
    );
    assert.ok(chiSquare < 16.3, `chi-square ${chiSquare}, 3 degrees of freedom, p = 0.001`);
  }
});

test("the edges of [0, 1) draw the first and the last candidate that can come", () => {
  const logits = Float32Array.of(0, 0, -2000, 0);
  const last = (): number => 1 - 2 ** -53;
  assert.equal(
    draw(candidatesOf(logits), 1, () => 0),
    { token: 0, probability: 1 / 3 },
  );
  assert.is(draw(candidatesOf(logits), 1, last).token, 3);
  assert.is(draw(candidatesOf(Float32Array.of(0, 0, -2000)), 1, last).token, 1);
});

test("extreme temperatures and logits stay finite", () => {
  const logits = Float32Array.of(-3e38, 3e38, 3e38, 0);
  assert.equal(support({ temperature: 1e-300 }, logits), [1, 2]);
  assert.equal(support({ temperature: 1e300 }, logits), [0, 1, 2, 3]);
});

test("the sampler leaves the logits alone and takes vocabularies of any size in turn", () => {
  const sample = createSampler({ ...OFF, typicalP: 0.9, topP: 0.9 }, createRandomSource(5));
  for (const n of [2, 100, 5]) {
    const logits = oracle.tiedLogits(n, seededRandom(n));
    const copy = logits.slice();
    assert.ok(sample(logits) < n);
    assert.equal(logits, copy);
  }
});

test.run();
