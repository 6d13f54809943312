import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RoundedForm } from "../../src/model/linear.js";
import { gaussian, seededRandom } from "../support/random.js";
import {
  expectedRounded,
  formBytes,
  LARGEST,
  LEAST_LARGEST,
  quantizeAs,
  RELAXED_FORMS,
  type Rounded,
  readRounded,
  written,
} from "./support/activations.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create(16, { variant: "relaxed" });
const forms: readonly RoundedForm[] = ["I16", ...RELAXED_FORMS];

function quantize(form: RoundedForm, x: Float32Array, n: number, offset = 0): Rounded {
  bench.reset();
  const ptr = quantizeAs(bench, form, x, n, offset);
  bench.checkGuards();
  return readRounded(bench, form, ptr, [n, x.length / n]);
}

test("1: the squared error is a fifth below that of 127 for the largest value", () => {
  const random = seededRandom(37);
  const x = Float32Array.from({ length: 32 * 4096 }, () => random() - random());
  const { integers, scales } = quantize(1, x, 1);
  let [sum, sumOf127] = [0, 0];
  x.forEach((value, i) => {
    const block = x.subarray(i & ~31, (i & ~31) + 32);
    const unit = block.reduce((m, other) => Math.max(m, Math.abs(other)), 0) / LARGEST[1];
    sum += (value - integers[i] * scales[i >> 5]) ** 2;
    sumOf127 += (value - Math.round(value / unit) * unit) ** 2;
  });
  assert.ok(sum < 0.82 * sumOf127, `${sum / sumOf127}`);
});

for (const form of forms) {
  const most = LARGEST[form];

  test(`${form}: integers, scales and sums are the definition's`, () => {
    const random = seededRandom(30);
    for (const n of [1, 2, 3, 4, 5, 9]) {
      for (const cols of [32, 64, 96, 512, 2048, 8192]) {
        const offset = 4 * Math.floor(random() * 4);
        const x = gaussian(n * cols, random, 10 ** (random() * 12 - 6));
        x.fill(0, 0, 32);
        const rounded = quantize(form, x, n, offset);
        assert.equal(rounded, expectedRounded(form, x), `${n} x ${cols}`);
        // f32 rounds LARGEST / largest and the product: 2^-8 of a step at most.
        x.forEach((value, i) => {
          const scale = rounded.scales[i >> 5];
          const integer = rounded.integers[i];
          const moved = written(form, integer - 1) === integer ? 1 : 0;
          const error = Math.abs(value - (integer - moved) * scale);
          assert.ok(error <= scale * (0.5 + moved + 2 ** -8), `${n} x ${cols} [${i}]`);
        });
      }
    }
  });

  test(`${form}: the largest value is ${most}, halves round to even, both signs alike`, () => {
    const even = most - 1;
    const halves = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, most - 0.5, 0.5 - most, 0.49, -0.51];
    const expected = [0, 2, 2, 0, -2, -2, even, -even, 0, -1];
    const random = seededRandom(36);
    // With each, integers that any other scale rounds worse.
    const x = Float32Array.from({ length: halves.length * 32 }, () => Math.floor(random() * most));
    halves.forEach((half, b) => {
      x.set([most, -most, half], b * 32);
    });
    const { integers, scales, sums } = quantize(form, x, 1);
    expected.forEach((integer, b) => {
      assert.equal(Array.from(integers.subarray(b * 32, b * 32 + 3)), [most, -most, integer]);
      assert.is(scales[b], 1);
      assert.is(
        sums[2 * b],
        integers.subarray(b * 32, b * 32 + 16).reduce((m, i) => m + i, 0),
      );
    });
  });

  test(`${form}: every integer is written as itself, except where a low byte would be -128`, () => {
    // Each block has 31 integers and the largest one, which makes the scale 1.
    const blocks = Math.ceil((2 * most + 1) / 31);
    const x = new Float32Array(blocks * 32).fill(most);
    const integers = Int32Array.from(x, (_, i) =>
      i % 32 === 31 ? most : Math.min(Math.floor(i / 32) * 31 + (i % 32) - most, most),
    );
    x.set(integers);
    const expected = integers.map((integer) => written(form, integer));
    assert.equal(quantize(form, x, 1).integers, expected);
  });

  test(`${form}: no block's integers pass ${most}`, () => {
    const { integers, scales } = quantize(form, gaussian(32 * 4096, seededRandom(31)), 1);
    for (let b = 0; b < scales.length; b++) {
      const block = integers.subarray(b * 32, b * 32 + 32);
      const largest = block.reduce((m, value) => Math.max(m, Math.abs(value)), 0);
      if (form === 1) assert.ok(largest >= LEAST_LARGEST && largest <= most, `${largest}`);
      else assert.is(largest, most);
    }
  });

  test(`${form}: sums of extreme blocks are exact`, () => {
    for (const value of [1, -1, 3.4028234663852886e38]) {
      const { integers, scales, sums } = quantize(form, new Float32Array(64).fill(value), 1);
      assert.ok(integers.every((integer) => integer === Math.sign(value) * most));
      assert.equal(Array.from(scales), new Array(2).fill(Math.fround(Math.abs(value) / most)));
      assert.equal(Array.from(sums), new Array(4).fill(Math.sign(value) * most * 16));
    }
  });

  test(`${form}: zeros and values too small for an inverse count as zero`, () => {
    for (const value of [0, -0, 1e-45, -1e-40, 1.17e-38, most < 200 ? 3e-37 : 9e-35]) {
      const { integers, scales, sums } = quantize(form, new Float32Array(32).fill(value), 1);
      const rounded = Math.fround(Math.abs(Math.fround(value)) / most);
      assert.is(scales[0], rounded);
      assert.equal(Array.from(sums), [0, 0], `${value}`);
      assert.ok(integers.every((integer) => integer === 0));
    }
    assert.is(quantize(form, new Float32Array(32).fill(1e-34), 1).integers[5], most);
  });

  test(`${form}: NaN and infinity show only in the scale of their block`, () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const at of [0, 5, 31]) {
        const x = new Float32Array(96).fill(1);
        x[32 + at] = bad;
        const { integers, scales, sums } = quantize(form, x, 1);
        assert.equal(scales[1], Number.isNaN(bad) ? NaN : Infinity);
        assert.ok(integers.subarray(32, 64).every((integer) => integer === 0));
        assert.equal(Array.from(sums.subarray(2, 4)), [0, 0]);
        assert.equal([scales[0], scales[2]], new Array(2).fill(Math.fround(1 / most)));
        assert.ok(integers.subarray(64).every((integer) => integer === most));
      }
    }
  });

  test(`${form}: a row does not depend on the others`, () => {
    const random = seededRandom(32);
    const x = gaussian(7 * 64, random);
    const all = quantize(form, x, 7);
    for (const [first, n] of [
      [0, 1],
      [2, 3],
      [6, 1],
      [1, 6],
    ]) {
      const { integers, sums } = quantize(form, x.slice(first * 64, (first + n) * 64), n);
      assert.equal(integers, all.integers.slice(first * 64, (first + n) * 64));
      assert.equal(sums, all.sums.slice(first * 4, (first + n) * 4));
    }
  });

  if (form === 1 || form === 2) {
    test(`${form} planes: padding of a tile is zero`, () => {
      for (const n of [1, 2, 3, 5]) {
        bench.reset();
        const ptr = quantizeAs(bench, form, gaussian(n * 64, seededRandom(33)), n);
        const padded = (formBytes(form, n, 64) / formBytes(form, 4, 64)) * 4;
        const { integers, scales, sums } = readRounded(bench, form, ptr, [padded, 64]);
        for (const values of [integers, scales, sums]) {
          const rest = values.subarray((values.length / padded) * n);
          assert.ok(
            rest.every((value) => value === 0),
            `${n} tokens`,
          );
        }
      }
    });
  }
}

test.run();
