import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BatchConfig, Curve, ScheduleConfig } from "../../../src/training/run/config.js";
import {
  lastStableStep,
  learningRate,
  microBatches,
  phaseOf,
} from "../../../src/training/run/schedule.js";

const schedule = (changes: Partial<ScheduleConfig> = {}): ScheduleConfig => ({
  ...{ steps: 1000, warmup: 0.02, stable: 0.6, decay: 0.9 },
  ...{ peakRate: 4e-3, finalRate: 1e-3, curve: "linear" },
  ...changes,
});

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-12 * Math.abs(expected), `${actual}, ${expected}`);

const CURVES: readonly Curve[] = ["linear", "cosine", "exponential"];

test("the warm-up rises in equal steps to the peak", () => {
  close(learningRate(schedule(), 1), 4e-3 / 20);
  close(learningRate(schedule(), 10), 2e-3);
  close(learningRate(schedule(), 19), (4e-3 * 19) / 20);
  assert.is(learningRate(schedule(), 20), 4e-3);
  assert.is(learningRate(schedule({ warmup: 0 }), 1), 4e-3);
});

test("every curve leaves the peak at the stable phase's end and reaches the final rate", () => {
  for (const curve of CURVES) {
    const rates = schedule({ curve });
    assert.is(learningRate(rates, 21), 4e-3);
    assert.is(learningRate(rates, 600), 4e-3);
    assert.ok(learningRate(rates, 601) < 4e-3);
    assert.ok(learningRate(rates, 899) > 1e-3);
    for (const step of [900, 901, 1000]) assert.is(learningRate(rates, step), 1e-3);
    for (let step = 601; step <= 900; step++) {
      assert.ok(learningRate(rates, step) < learningRate(rates, step - 1), `${curve} ${step}`);
    }
  }
});

test("a fraction that means a whole step ends there, whatever its binary digits", () => {
  for (let steps = 10; steps <= 2000; steps += 10) {
    for (let percent = 0; percent <= 100; percent += 10) {
      const whole = (steps * percent) / 100;
      const rates = schedule({ steps, warmup: 0, stable: percent / 100, decay: 1 });
      assert.is(lastStableStep(rates), whole, `${percent} % of ${steps}`);
    }
  }
  assert.is(lastStableStep(schedule({ steps: 100, stable: 0.29 })), 29);
  assert.is(lastStableStep(schedule({ steps: 100, stable: 0.2999 })), 29);
  const batch = {
    tokens: 64,
    contextLength: 64,
    accumulate: [
      [0, 1],
      [0.29, 2],
    ],
  } as BatchConfig;
  assert.is(microBatches(batch, schedule({ steps: 100 }), 29), 1);
  assert.is(microBatches(batch, schedule({ steps: 100 }), 30), 2);
});

test("half way, each curve is where its formula says", () => {
  const half = (curve: Curve): number => learningRate(schedule({ curve }), 750);
  close(half("linear"), 2.5e-3);
  close(half("cosine"), 2.5e-3);
  close(half("exponential"), 2e-3);
  const quarter = (curve: Curve): number => learningRate(schedule({ curve }), 675);
  close(quarter("linear"), 3.25e-3);
  close(quarter("cosine"), 1e-3 + 1.5e-3 * (1 + Math.SQRT1_2));
  close(quarter("exponential"), 4e-3 * 0.25 ** 0.25);
});

test("phases end with the step that their fraction falls on", () => {
  const phases = [1, 20, 600, 601, 900, 901, 1000].map((step) => phaseOf(schedule(), step));
  const [stable, decay, constant] = ["stable", "decay", "constant"];
  assert.equal(phases, [stable, stable, stable, decay, decay, constant, constant]);
  const odd = schedule({ steps: 7, stable: 0.5, decay: 0.8 });
  const all = Array.from({ length: 7 }, (_, i) => phaseOf(odd, i + 1));
  assert.equal(all, [stable, stable, stable, decay, decay, constant, constant]);
});

test("a phase may be missing", () => {
  const onlyStable = schedule({ warmup: 0, stable: 1, decay: 1 });
  assert.is(phaseOf(onlyStable, 1000), "stable");
  assert.is(learningRate(onlyStable, 1000), 4e-3);
  const noConstant = schedule({ decay: 1, curve: "cosine" });
  assert.is(phaseOf(noConstant, 1000), "decay");
  assert.is(learningRate(noConstant, 1000), 1e-3);
  const noDecay = schedule({ decay: 0.6 });
  assert.is(phaseOf(noDecay, 601), "constant");
  assert.is(learningRate(noDecay, 600), 4e-3);
  assert.is(learningRate(noDecay, 601), 1e-3);
  assert.is(learningRate(schedule({ steps: 1 }), 1), 1e-3);
});

test("a decay to zero is allowed where the curve gets there", () => {
  const zero = schedule({ finalRate: 0, curve: "cosine" });
  assert.is(learningRate(zero, 900), 0);
  assert.ok(learningRate(zero, 899) > 0);
});

test("accumulation grows with the first step of its fraction", () => {
  const batch: BatchConfig = {
    ...{ tokens: 64, contextLength: 16 },
    accumulate: [
      [0, 1],
      [0.25, 2],
      [0.5, 8],
    ],
  };
  const counts = [1, 250, 251, 500, 501, 1000].map((step) => microBatches(batch, schedule(), step));
  assert.equal(counts, [1, 1, 2, 2, 8, 8]);
});

test.run();
