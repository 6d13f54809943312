import { test } from "uvu";
import * as assert from "uvu/assert";
import { i16RowBytes } from "../../src/kernels/packed.js";
import { gaussian, seededRandom } from "../random.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create();

interface Row {
  integers: Int16Array;
  scales: Float32Array;
  sums: Float32Array;
}

function quantize(x: Float32Array, n: number, offset = 0): Row[] {
  bench.reset();
  const cols = x.length / n;
  const yPtr = bench.region(n * i16RowBytes(cols), offset);
  bench.kernels.quantizeI16(yPtr, bench.put(x, offset), n, cols);
  bench.checkGuards();
  return Array.from({ length: n }, (_, t) => {
    const ptr = yPtr + t * i16RowBytes(cols);
    return {
      integers: bench.i16(ptr, cols),
      scales: bench.f32(ptr + 2 * cols, cols / 32),
      sums: bench.f32(ptr + 2 * cols + cols / 8, cols / 16),
    };
  });
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** The definition, with f32 arithmetic: nearest integers of x * (32767 / largest), ties to even. */
function expectedRow(x: Float32Array): Row {
  const scales = new Float32Array(x.length / 32);
  const integers = new Int16Array(x.length);
  for (let b = 0; b < scales.length; b++) {
    const block = x.subarray(b * 32, b * 32 + 32);
    const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[b] = largest / 32767;
    const inverse = Math.fround(32767 / largest);
    if (largest === 0 || inverse === Infinity) continue;
    block.forEach((value, i) => {
      integers[b * 32 + i] = nearestEven(Math.fround(value * inverse));
    });
  }
  const sums = Float32Array.from({ length: x.length / 16 }, (_, i) => {
    const part = integers.subarray(i * 16, i * 16 + 16);
    return scales[i >> 1] * part.reduce((total, value) => total + value, 0);
  });
  return { integers, scales, sums };
}

test("integers, scales and sums are the definition's", () => {
  const random = seededRandom(30);
  for (const n of [1, 2, 3]) {
    for (const cols of [32, 64, 96, 512, 2048, 8192]) {
      for (const offset of [0, 4]) {
        const x = gaussian(n * cols, random, 10 ** (random() * 12 - 6));
        x.fill(0, 0, 32);
        const rows = quantize(x, n, offset);
        for (let t = 0; t < n; t++) {
          const part = x.subarray(t * cols, (t + 1) * cols);
          assert.equal(rows[t], expectedRow(part), `${n} x ${cols}, row ${t}`);
          // f32 rounds 32767 / largest and the product: 2^-8 of a step at most.
          part.forEach((value, i) => {
            const scale = rows[t].scales[i >> 5];
            assert.ok(Math.abs(value - rows[t].integers[i] * scale) <= scale * (0.5 + 2 ** -8));
          });
        }
      }
    }
  }
});

test("the largest value is 32767 and halves round to even", () => {
  const x = new Float32Array(32);
  x.set([32767, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 32766.5, -32766.5, -32767, 0.49, -0.51]);
  const [{ integers, scales, sums }] = quantize(x, 1);
  const expected = [32767, 0, 2, 2, 0, -2, -2, 32766, -32766, -32767, 0, -1];
  assert.equal(Array.from(integers.subarray(0, 12)), expected);
  assert.is(scales[0], 1);
  assert.equal(Array.from(sums), [-1, 0]);
});

test("no block's integers pass 32767", () => {
  const random = seededRandom(31);
  const x = gaussian(32 * 4096, random);
  const [{ integers, scales }] = quantize(x, 1);
  for (let b = 0; b < scales.length; b++) {
    const most = integers
      .subarray(b * 32, b * 32 + 32)
      .reduce((m, value) => Math.max(m, Math.abs(value)), 0);
    assert.is(most, 32767);
  }
});

test("sums of extreme blocks are exact", () => {
  for (const value of [1, -1, 3.4028234663852886e38]) {
    const [{ integers, scales, sums }] = quantize(new Float32Array(64).fill(value), 1);
    assert.ok(integers.every((integer) => integer === Math.sign(value) * 32767));
    assert.equal(Array.from(scales), new Array(2).fill(Math.fround(Math.abs(value) / 32767)));
    const sum = Math.fround(scales[0] * Math.sign(value) * 32767 * 16);
    assert.equal(Array.from(sums), new Array(4).fill(sum));
  }
});

test("zeros and values too small for an inverse count as zero", () => {
  for (const value of [0, -0, 1e-45, -1e-40, 1.17e-38, 9e-35]) {
    const [{ integers, scales, sums }] = quantize(new Float32Array(32).fill(value), 1);
    assert.ok(
      integers.every((integer) => integer === 0),
      `${value}`,
    );
    assert.is(scales[0], Math.fround(Math.abs(Math.fround(value)) / 32767));
    assert.equal(Array.from(sums), [0, 0]);
  }
  assert.is(quantize(new Float32Array(32).fill(1e-34), 1)[0].integers[5], 32767);
});

test("NaN and infinity show in the scale and the sums of their block only", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 5, 31]) {
      const x = new Float32Array(96).fill(1);
      x[32 + at] = bad;
      const [{ integers, scales, sums }] = quantize(x, 1);
      assert.equal(scales[1], Number.isNaN(bad) ? NaN : Infinity);
      assert.ok(integers.subarray(32, 64).every((integer) => integer === 0));
      assert.equal(Array.from(sums.subarray(2, 4)), [NaN, NaN]);
      assert.equal([scales[0], scales[2]], new Array(2).fill(Math.fround(1 / 32767)));
      assert.ok(integers.subarray(64).every((integer) => integer === 32767));
    }
  }
});

test.run();
