import { test } from "uvu";
import * as assert from "uvu/assert";
import { axisOf, withThousands } from "../../../src/training/report/axis.js";
import { seededRandom } from "../../support/random.js";

const labels = (low: number, high: number, padded = true): string[] => {
  const axis = axisOf(low, high, padded);
  return axis.ticks.map((tick) => axis.label(tick));
};

test("ticks are 1, 2 or 5 times a power of ten apart", () => {
  assert.equal(labels(1.3, 8.4), ["0", "2", "4", "6", "8", "10"]);
  assert.equal(labels(0, 0.003), ["0", "0.001", "0.002", "0.003"]);
  assert.equal(labels(0.5, 0.93), ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]);
  assert.equal(labels(-3, 12), ["-5", "0", "5", "10", "15"]);
  assert.equal(labels(1, 12000, false), ["2,000", "4,000", "6,000", "8,000", "10,000", "12,000"]);
  assert.equal(labels(5e-6, 1.4e-5), [
    "0.000004",
    "0.000006",
    "0.000008",
    "0.00001",
    "0.000012",
    "0.000014",
  ]);
});

test("one value has an axis around it", () => {
  for (const value of [0, 1, -7, 1e-9, 1e20]) {
    const { min, max, ticks } = axisOf(value, value, true);
    assert.ok(min < value && value < max, `${min} ${value} ${max}`);
    assert.ok(ticks.length >= 2);
  }
  const { min, max } = axisOf(1, 1 + 2 ** -52, true);
  assert.ok(max > min);
});

test("any range: few ticks, which rise and enclose the values", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 500; i++) {
    const size = 10 ** (random() * 50 - 25);
    const low = (random() - 0.5) * size;
    const high = low + random() * size;
    const { min, max, ticks, label } = axisOf(low, high, true);
    assert.ok(min <= low && max >= high, `${low} to ${high}: ${min} to ${max}`);
    assert.ok(ticks.length >= 2 && ticks.length <= 9, `${low} to ${high}: ${ticks.length} ticks`);
    assert.is(new Set(ticks.map(label)).size, ticks.length, ticks.map(label).join(" "));
    const inner = axisOf(low, high, false);
    assert.ok(inner.ticks.every((tick) => tick >= low - 1e-9 * size && tick <= high + 1e-9 * size));
  }
});

test("digits in groups of three", () => {
  const digits = ["0", "999", "1000", "-1234567", "12345.6789"];
  assert.equal(digits.map(withThousands), ["0", "999", "1,000", "-1,234,567", "12,345.6789"]);
});

test.run();
