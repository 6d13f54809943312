/** Mirostat against the paper's algorithms, written out over a full sort. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createSampler } from "../../src/generation/samplers.js";
import { seededRandom } from "../support/random.js";
import * as oracle from "./support/oracle.js";
import { OFF } from "./support/sampler-options.js";

/** One of the ids by their probabilities, and its surprise in bits. */
function drawn(logits: Float32Array, ids: number[], u: number): { id: number; bits: number } {
  const probabilities = oracle.softmax(logits, ids);
  let sum = probabilities[0];
  let i = 0;
  while (i < ids.length - 1 && sum <= u) sum += probabilities[++i];
  return { id: ids[i], bits: -Math.log2(probabilities[i]) };
}

/** The ids whose surprise is at most `mu`: version 2. */
function below(logits: Float32Array, mu: number): number[] {
  const ids = oracle.sortedIds(logits);
  const probabilities = oracle.softmax(logits, ids);
  const kept = ids.filter((_, i) => -Math.log2(probabilities[i]) <= mu);
  return (kept.length > 0 ? kept : ids.slice(0, 1)).sort((a, b) => a - b);
}

/** The k best by the estimate of Zipf's exponent: version 1. */
function estimated(logits: Float32Array, mu: number): number[] {
  const ids = oracle.sortedIds(logits);
  const probabilities = oracle.softmax(logits, ids);
  let [products, squares] = [0, 0];
  for (let i = 0; i < Math.min(100, ids.length) - 1; i++) {
    const rank = Math.log((i + 2) / (i + 1));
    products += rank * Math.log(probabilities[i] / probabilities[i + 1]);
    squares += rank * rank;
  }
  const exponent = products / squares;
  const epsilon = exponent - 1;
  const k = ((epsilon * 2 ** mu) / (1 - logits.length ** -epsilon)) ** (1 / exponent);
  return ids.slice(0, Number.isNaN(k) ? ids.length : Math.max(1, Math.floor(k)));
}

for (const [version, keep] of [
  [1, estimated],
  [2, below],
] as const) {
  test(`version ${version} draws what the paper's algorithm draws, and moves its limit`, () => {
    for (const [seed, tau, eta] of [
      [1, 5, 0.1],
      [2, 2, 0.5],
      [3, 0.5, 1],
    ]) {
      const random = seededRandom(seed);
      const numbers = Array.from({ length: 200 }, random);
      let at = 0;
      const options = { ...OFF, mirostat: version, mirostatTau: tau, mirostatEta: eta };
      const sample = createSampler(options, () => numbers[at++]);
      let mu = 2 * tau;
      let [most, least] = [0, Infinity];
      for (const number of numbers) {
        // No equal probabilities: the two need not agree on their order.
        const logits = Float32Array.from({ length: 300 }, () => 10 * random() - 5);
        const kept = keep(logits, mu);
        [most, least] = [Math.max(most, kept.length), Math.min(least, kept.length)];
        const expected = drawn(logits, kept, number);
        assert.is(sample(logits), expected.id, `tau ${tau}, of ${kept.length}`);
        mu -= eta * (expected.bits - tau);
      }
      assert.ok(most > least, `${least} to ${most} candidates`);
    }
  });

  test(`version ${version} keeps the surprise near its target`, () => {
    const random = seededRandom(9);
    const numbers = seededRandom(10);
    const tau = 3;
    const options = { ...OFF, mirostat: version, mirostatTau: tau };
    const sample = createSampler(options, numbers);
    let bits = 0;
    const rounds = 2000;
    for (let i = 0; i < rounds; i++) {
      const logits = Float32Array.from({ length: 500 }, () => 6 * random() - Math.log(random()));
      const token = sample(logits);
      const ids = oracle.sortedIds(logits);
      if (i >= 200) bits -= Math.log2(oracle.softmax(logits, ids)[ids.indexOf(token)]);
    }
    const mean = bits / (rounds - 200);
    // Surprise is measured among what is kept, and here among all tokens.
    assert.ok(mean > tau - 0.5 && mean < tau + 3, `${mean} bits`);
  });

  test(`version ${version} of very few tokens, with bans and at another temperature`, () => {
    const options = { ...OFF, mirostat: version, temperature: 0.5 };
    const sample = createSampler(options, () => 0.999);
    assert.is(sample(Float32Array.of(3)), 0);
    assert.is(sample(Float32Array.of(-Infinity, 1, -Infinity)), 1);
    assert.ok([0, 1].includes(sample(Float32Array.of(2, 2))));
    assert.throws(() => sample(Float32Array.of(-Infinity)), /all are banned/);
    assert.is(createSampler({ ...options, temperature: 0 }, () => 0.9)(Float32Array.of(1, 2)), 1);
  });
}

test.run();
