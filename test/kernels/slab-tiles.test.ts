import { test } from "uvu";
import * as assert from "uvu/assert";
import { tiledScratchBytes } from "../../src/kernels/packed.js";
import { relativeRms } from "../support/close.js";
import { seededRandom } from "../support/random.js";
import { assertWithin, referenceMatmul } from "./support/linear-reference.js";
import { activeLists, packedId, packSlab, putActive, putSlabShape } from "./support/packing.js";
import { QUANTIZED_TYPES, randomTensor, sparseGaussian, type Tensor } from "./support/tensors.js";
import { Bench, UNWRITTEN, UNWRITTEN_BYTE } from "./support/wasm.js";

const bench = await Bench.create(64);

/** Lists of the nonzero neurons of x made into pairs; returns the scales of all tokens. */
function putPairs(x: Float32Array, lists: number[][], neurons: number): [number, Float32Array] {
  const n = lists.length;
  const activePtr = putActive(bench, lists, neurons);
  const xPtr = bench.put(x);
  const scales = lists.map(({ length }, t) => {
    const listPtr = activePtr + (n + t * neurons) * 4;
    return bench.kernels.pairActiveF32(listPtr, length, xPtr + t * neurons * 4);
  });
  return [activePtr, Float32Array.from(scales)];
}

/** sparseMatmulTiles of outputs first to end over each token's active neurons. */
function multiply(
  tensor: Tensor,
  x: Float32Array,
  n: number,
  [first, end]: readonly [number, number] = [0, tensor.rows],
): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packSlab(bench, tensor);
  const [activePtr, scales] = putPairs(x, activeLists(x, n), cols);
  const yPtr = bench.region(n * rows * 4);
  bench.u8(yPtr, n * rows * 4).fill(UNWRITTEN_BYTE);
  const scalesPtr = bench.put(scales);
  const shapePtr = putSlabShape(bench, { neurons: cols, outputs: rows, first, end });
  const scratchPtr = bench.region(tiledScratchBytes(cols, rows));
  const id = packedId(type);
  const { sparseMatmulTiles } = bench.kernels;
  sparseMatmulTiles(yPtr, w.ptr, id, activePtr, scalesPtr, n, shapePtr, scratchPtr);
  bench.checkGuards();
  return bench.f32(yPtr, n * rows);
}

/**
 * Against f64: a weight is off by 1.2 steps of its output's scale, x by half a step of its token's.
 * The scale allows for the type's largest integer, up to 12 times the actual ones.
 */
function check(tensor: Tensor, x: Float32Array, n: number): void {
  const { type, rows, cols, values, magnitudes } = tensor;
  const y = multiply(tensor, x, n);
  const shape = { n, rows, cols };
  const expected = referenceMatmul(values, x, shape).y;
  const bound = (i: number): number => {
    const [t, r] = [Math.floor(i / rows), i % rows];
    const row = x.subarray(t * cols, (t + 1) * cols);
    const weights = magnitudes.subarray(r * cols, (r + 1) * cols);
    const xStep = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 8191;
    const step = (12 * weights.reduce((most, value) => Math.max(most, value), 0)) / 8128;
    let total = 0;
    for (let c = 0; c < cols; c++) {
      if (row[c] !== 0) total += 1.2 * step * Math.abs(row[c]) + 0.51 * xStep * weights[c];
    }
    return total + 1e-30;
  };
  assertWithin(y, expected, bound, `${type} ${rows}x${cols}, n = ${n}`);
  const rms = relativeRms(y, expected);
  const isFine = type === "Q8_0" || type === "Q4_0";
  assert.ok(!(rms > (isFine ? 1e-3 : 3e-3)), `${type} ${rows}x${cols}: relative rms ${rms}`);
}

for (const type of QUANTIZED_TYPES) {
  test(`sparseMatmulTiles agrees with f64: ${type}`, () => {
    const random = seededRandom(180);
    for (const rows of type === "Q6_K" ? [64, 128] : [32, 64, 96]) {
      for (const cols of [256, 768]) {
        const tensor = randomTensor({ type, rows, cols }, random);
        for (const n of [1, 2, 17]) {
          for (const density of [0.05, 0.5, 1]) {
            const x = sparseGaussian(n * cols, density, random).map(Math.abs);
            check(tensor, x, n);
          }
        }
      }
    }
  });

  test(`separate outputs equal those of the whole, and no others are written: ${type}`, () => {
    const random = seededRandom(181);
    const [rows, cols, n] = [192, 256, 3];
    const tensor = randomTensor({ type, rows, cols }, random);
    const x = sparseGaussian(n * cols, 0.2, random);
    const whole = multiply(tensor, x, n);
    for (const [first, end] of [
      [0, 64],
      [64, 192],
    ] as const) {
      const expected = whole.map((value, i) =>
        i % rows >= first && i % rows < end ? value : UNWRITTEN,
      );
      assert.equal(multiply(tensor, x, n, [first, end]), expected, `${first} to ${end}`);
    }
  });
}

test("integer sums of extremes do not overflow", () => {
  const [rows, cols] = [32, 2048];
  const bytes = new Uint8Array(rows * (cols / 32) * 34);
  for (const weight of [127, -127, -128]) {
    bytes.fill(weight & 255);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 34) view.setUint16(at, 0x3c00, true);
    const tensor = randomTensor({ type: "Q8_0", rows, cols }, seededRandom(182));
    tensor.bytes.set(bytes);
    const y = multiply(tensor, new Float32Array(cols).fill(1), 1);
    for (const value of y) assert.ok(Math.abs(value / (weight * cols) - 1) < 1e-3, `${value}`);
  }
});

test("a token without active neurons is zero, and does not affect the others", () => {
  const random = seededRandom(183);
  const tensor = randomTensor({ type: "Q8_0", rows: 64, cols: 256 }, random);
  const x = sparseGaussian(3 * 256, 0.3, random);
  x.fill(0, 256, 512);
  const y = multiply(tensor, x, 3);
  assert.ok(y.subarray(64, 128).every((value) => value === 0));
  assert.equal(y.subarray(0, 64), multiply(tensor, x.slice(0, 256), 1));
  assert.equal(y.subarray(128), multiply(tensor, x.slice(512), 1));
});

test("NaN and infinity are not lost", () => {
  const random = seededRandom(184);
  const tensor = randomTensor({ type: "Q8_0", rows: 32, cols: 64 }, random);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const x = sparseGaussian(2 * 64, 0.5, random);
    x[70] = bad;
    const y = multiply(tensor, x, 2);
    assert.ok(y.subarray(32).every(Number.isNaN), `${bad}`);
    assert.ok(y.subarray(0, 32).every(Number.isFinite));
  }
});

test.run();
