/** The optimizer's kernels: AdamW and the norm of the gradients. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { type AdamwSettings, referenceAdamw } from "../reference/adamw.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create();

const SETTINGS: AdamwSettings = {
  rate: Math.fround(3e-3),
  beta1: Math.fround(0.9),
  beta2: Math.fround(0.95),
  epsilon: Math.fround(1e-8),
  weightDecay: Math.fround(0.1),
  gradScale: Math.fround(0.3),
};

/** Hyper of step t, from 1. */
function hyperOf(t: number, settings: AdamwSettings): Float32Array {
  const { rate, beta1, beta2, epsilon, weightDecay, gradScale } = settings;
  const corrections = [1 / (1 - beta1 ** t), 1 / (1 - beta2 ** t)];
  return Float32Array.of(rate, beta1, beta2, epsilon, weightDecay, ...corrections, gradScale);
}

/** Runs AdamW from these parameters; returns p, m and v. */
function run(
  start: Float32Array,
  grads: readonly Float32Array[],
  settings: AdamwSettings,
  offset = 0,
): [p: Float32Array, m: Float32Array, v: Float32Array] {
  bench.reset();
  const n = start.length;
  const zero = new Float32Array(n);
  const [p, m, v] = [start, zero, zero].map((values) => bench.put(values, offset));
  grads.forEach((grad, i) => {
    const hyper = bench.put(hyperOf(i + 1, settings));
    bench.kernels.adamw(p, bench.put(grad, offset), m, v, n, hyper);
  });
  bench.checkGuards();
  return [bench.f32(p, n), bench.f32(m, n), bench.f32(v, n)];
}

test("agrees with f64 over several steps at every length", () => {
  const random = seededRandom(1);
  for (const n of [...Array(18).keys(), 1000]) {
    const start = gaussian(n, random);
    const grads = Array.from({ length: 6 }, () => gaussian(n, random, 0.1));
    const [p, m, v] = run(start, grads, SETTINGS, n % 2 === 0 ? 0 : 4);
    for (let i = 0; i < n; i++) {
      const own = grads.map((grad) => grad[i]);
      const expected = referenceAdamw(start[i], own, SETTINGS);
      const largest = Math.max(...own.map(Math.abs)) * SETTINGS.gradScale;
      // Steps are of about the rate, each with a few roundings; p is rounded once a step.
      const abs = 6 * 2 ** -24 * (Math.abs(start[i]) + 0.1);
      assertClose([p[i]], [expected.p], { abs }, `p[${i}], n ${n}`);
      assertClose([m[i]], [expected.m], { abs: 4 * 2 ** -24 * largest }, `m[${i}], n ${n}`);
      assertClose([v[i]], [expected.v], { rel: 24 * 2 ** -24 }, `v[${i}], n ${n}`);
    }
  }
});

test("an element's result does not depend on where it stands", () => {
  const random = seededRandom(2);
  const [start, grad] = [gaussian(23, random), gaussian(23, random)];
  const whole = run(start, [grad], SETTINGS);
  for (let i = 0; i < start.length; i++) {
    const alone = run(start.slice(i, i + 1), [grad.slice(i, i + 1)], SETTINGS);
    assert.equal(
      alone.map(([value]) => value),
      whole.map((values) => values[i]),
    );
  }
});

test("decay is decoupled: without a gradient a parameter shrinks by rate times decay", () => {
  const [p] = run(Float32Array.of(2), [Float32Array.of(0)], { ...SETTINGS, rate: 0.5 });
  assertClose(p, [2 * (1 - 0.5 * 0.1)], { rel: 1e-7 });
});

test("sumSquares agrees with f64 where f32 could not", () => {
  const random = seededRandom(3);
  for (const n of [...Array(18).keys(), 4097]) {
    bench.reset();
    const x = gaussian(n, random);
    const expected = x.reduce((sum, value) => sum + value * value, 0);
    const found = bench.kernels.sumSquares(bench.put(x, 4), n);
    assertClose([found], [expected], { rel: 1e-14 }, `n ${n}`);
  }
  bench.reset();
  assert.is(bench.kernels.sumSquares(bench.put(Float32Array.of(1e30, 1, 2)), 3) > 9e59, true);
});

test.run();
