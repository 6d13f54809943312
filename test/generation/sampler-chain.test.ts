/** The steps that are off by default, and chains in any order, against arithmetic. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  createChain,
  createSampler,
  SAMPLERS,
  type SamplerName,
  type SamplerOptions,
} from "../../src/generation/samplers.js";
import { seededRandom } from "../support/random.js";
import * as oracle from "./support/oracle.js";
import { OFF } from "./support/sampler-options.js";

const logitsOf = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);
const byId = (ids: number[]) => ids.slice().sort((a, b) => a - b);

/** The tokens that can come out, found by drawing all over [0, 1). */
function support(options: Partial<SamplerOptions>, logits: Float32Array): number[] {
  let step = 0;
  const sample = createSampler({ ...OFF, ...options }, () => (step++ % 1000) / 1000);
  return byId([...new Set(Array.from({ length: 1000 }, () => sample(logits)))]);
}

test("top-n-sigma: mean 1.5 and deviation 1.118 of 0, 1, 2, 3", () => {
  const logits = Float32Array.of(0, 1, 2, 3);
  assert.equal(support({ topNSigma: 0.5 }, logits), [3]);
  assert.equal(support({ topNSigma: 1 }, logits), [2, 3]);
  assert.equal(support({ topNSigma: 2 }, logits), [1, 2, 3]);
  assert.equal(support({ topNSigma: 2.7 }, logits), [0, 1, 2, 3]);
  assert.equal(support({ topNSigma: 1 }, Float32Array.of(-Infinity, 5)), [1]);
});

test("XTC leaves the least probable of those above its threshold", () => {
  const logits = logitsOf(0.1, 0.4, 0.2, 0.3);
  const always = { xtcProbability: 1 };
  // A draw takes two random numbers: the one of XTC, and the token's.
  assert.equal(support({ ...always, xtcThreshold: 0.15 }, logits), [0, 2]);
  assert.equal(support({ ...always, xtcThreshold: 0.25 }, logits), [0, 2, 3]);
  assert.equal(support({ ...always, xtcThreshold: 0.35 }, logits), [0, 1, 2, 3]);
  assert.equal(support({ ...always, xtcThreshold: 0.51 }, logits), [0, 1, 2, 3]);
  assert.equal(support({ ...always, xtcThreshold: 0 }, logits), [0]);
});

test("XTC comes as often as its probability says", () => {
  const logits = logitsOf(0.6, 0.4);
  const numbers = [0.2, 0.1, 0.4, 0.1];
  let at = 0;
  const options = { ...OFF, xtcProbability: 0.3, xtcThreshold: 0.1 };
  const sample = createSampler(options, () => numbers[at++]);
  // At 0.2 the best is excluded; at 0.4 it is not, and 0.1 draws it.
  assert.equal([sample(logits), sample(logits)], [1, 0]);
});

test("dynamic temperature follows the entropy of what is left", () => {
  const logits = logitsOf(0.7, 0.2, 0.1);
  const entropy = -(0.7 * Math.log(0.7) + 0.2 * Math.log(0.2) + 0.1 * Math.log(0.1));
  const share = entropy / Math.log(3);
  const random = seededRandom(6);
  for (const [temperature, dynatempRange, dynatempExponent] of [
    [1, 0.5, 1],
    [0.8, 2, 1],
    [1.5, 1, 3],
  ]) {
    const least = Math.max(0, temperature - dynatempRange);
    const expected = least + (temperature + dynatempRange - least) * share ** dynatempExponent;
    const numbers = Array.from({ length: 200 }, random);
    const drawAll = (options: Partial<SamplerOptions>): number[] => {
      let at = 0;
      const sample = createSampler({ ...OFF, ...options }, () => numbers[at++]);
      return numbers.map(() => sample(logits));
    };
    const dynamic = drawAll({ temperature, dynatempRange, dynatempExponent });
    assert.equal(dynamic, drawAll({ temperature: expected }));
  }
  // One that is certain: the temperature is 0.
  assert.equal(support({ dynatempRange: 1 }, Float32Array.of(0, 2000, 0)), [1]);
});

test("extreme temperatures before other steps stay finite", () => {
  const logits = Float32Array.of(-3e38, 3e38, 3e38, 0);
  const steps = {
    samplers: ["temperature", "topNSigma", "typicalP", "topP", "minP", "xtc"],
  } as const;
  const cuts = { topNSigma: 3, typicalP: 0.9, topP: 0.9, minP: 0.01 };
  assert.equal(support({ ...steps, ...cuts, temperature: 1e-300 }, logits), [1, 2]);
  assert.ok(support({ ...steps, ...cuts, temperature: 1e39 }, logits).length > 2);
});

test("any order of steps equals the slow one", () => {
  const random = seededRandom(7);
  const chance = (value: number, off: number): number => (random() < 0.4 ? off : value);
  for (let round = 0; round < 400; round++) {
    let logits = oracle.tiedLogits(1 + Math.floor(random() * 60), random);
    const shuffled = SAMPLERS.map((name) => ({ name, at: random() }));
    shuffled.sort((a, b) => a.at - b.at);
    const samplers = shuffled.slice(Math.floor(random() * 3)).map(({ name }) => name);
    const options: SamplerOptions = {
      ...OFF,
      // A power of two: dividing by it loses nothing.
      temperature: random() < 0.5 ? 2 : 0.5,
      topK: Math.floor(chance(1 + random() * 40, 0)),
      typicalP: chance(random(), 1),
      topP: chance(random(), 1),
      minP: chance(0.3 * random(), 0),
      topNSigma: chance(0.5 + 2 * random(), 0),
      xtcProbability: random() < 0.5 ? 0 : 1,
      xtcThreshold: 0.6 * random(),
      samplers,
    };
    const steps: Record<SamplerName, (ids: number[]) => number[]> = {
      topNSigma: (ids) => oracle.topNSigma(logits, ids, options.topNSigma),
      topK: (ids) => oracle.topK(ids, options.topK),
      typicalP: (ids) => oracle.typicalP(logits, ids, options.typicalP),
      topP: (ids) => oracle.topP(logits, ids, options.topP),
      minP: (ids) => oracle.minP(logits, ids, options.minP),
      xtc: (ids) =>
        options.xtcProbability > 0 ? oracle.xtc(logits, ids, options.xtcThreshold) : ids,
      temperature: (ids) => {
        logits = logits.map((logit) => logit / options.temperature);
        return ids;
      },
    };
    const original = logits.slice();
    let kept = oracle.sortedIds(logits);
    for (const name of samplers) kept = steps[name](kept);
    const { candidates, temperature } = createChain(options, () => 0)(original);
    const { ids, length } = candidates;
    assert.equal(byId([...ids.subarray(0, length)]), byId(kept), JSON.stringify(options));
    assert.is(temperature, samplers.at(-1) === "temperature" ? options.temperature : 1);
  }
});

test.run();
