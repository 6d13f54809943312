import { test } from "uvu";
import * as assert from "uvu/assert";
import { gaussian, seededRandom } from "../random.js";
import { assertProduct, assertWithin } from "./linear-reference.js";
import { packedId, packPanels, quantize } from "./packing.js";
import { randomTensor, type Tensor, tensorOf } from "./tensors.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create(48);
const { matvecI16 } = bench.kernels;

/** Runs the type's matvec and compares it with both references; returns its result. */
function check(tensor: Tensor, x: Float32Array, offset: number): Float32Array {
  bench.reset();
  const { rows, cols } = tensor;
  const w = packPanels(bench, tensor, offset);
  const activations = quantize(bench, x, 1, offset);
  const yPtr = bench.region(rows * 4, offset);
  matvecI16(yPtr, w.ptr, packedId(tensor.type), activations.ptr, rows, cols);
  bench.checkGuards();
  const y = bench.f32(yPtr, rows);
  assertProduct(y, { tensor, x, activations }, `${tensor.type} ${rows}x${cols}`);
  return y;
}

test("matvecI16 of Q8 agrees with f64 for all shapes and offsets", () => {
  const random = seededRandom(40);
  for (const type of ["Q8_0", "Q5_0"] as const) {
    for (const cols of [32, 64, 96, 256, 512, 2048, 8192]) {
      for (const rows of [8, 16, 24]) {
        const x = gaussian(cols, random);
        check(randomTensor({ type, rows, cols }, random), x, 4 * Math.floor(random() * 4));
      }
    }
  }
});

test("matvecI16 of Q4, Q4M and Q4K agrees with f64 for all types, shapes and offsets", () => {
  const random = seededRandom(44);
  for (const type of ["Q4_0", "Q4_1", "Q4_K"] as const) {
    for (const cols of type === "Q4_K" ? [256, 512, 2048, 8192] : [32, 64, 96, 256, 512, 2048]) {
      for (const rows of [8, 16, 24]) {
        const x = gaussian(cols, random);
        check(randomTensor({ type, rows, cols }, random), x, 4 * Math.floor(random() * 4));
      }
    }
    check(randomTensor({ type, rows: 576, cols: 2048 }, random), gaussian(2048, random), 0);
  }
});

test("matvecI16 of Q8 agrees with f64 for the shapes of PLM-1.8B", () => {
  const random = seededRandom(41);
  for (const [rows, cols] of [
    [3072, 2048],
    [576, 2048],
    [4096, 512],
    [2048, 2048],
    [8192, 2048],
  ]) {
    check(randomTensor({ type: "Q8_0", rows, cols }, random), gaussian(cols, random), 0);
  }
});

test("zero rows and zero activations give zeros, in the middle of others too", () => {
  const random = seededRandom(42);
  const tensor = randomTensor({ type: "Q8_0", rows: 16, cols: 128 }, random);
  const rowBytes = tensor.bytes.length / 16;
  tensor.bytes.fill(0, 5 * rowBytes, 6 * rowBytes);
  const zeroed = tensorOf(tensor, tensor.bytes);
  const x = gaussian(128, random);
  x.fill(0, 32, 64);
  const y = check(zeroed, x, 0);
  assert.is(y[5], 0);
  assert.ok(check(zeroed, new Float32Array(128), 0).every((value) => value === 0));
});

test("integer sums of extremes do not overflow", () => {
  for (const weight of [127, -127, -128]) {
    for (const value of [1, -1]) {
      // d = 1, and x = 32767 times a scale of 1: every number is an integer below 2^53.
      const bytes = new Uint8Array(8 * 34 * 64).fill(weight & 255);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += 34) view.setUint16(at, 0x3c00, true);
      bench.reset();
      const w = packPanels(bench, tensorOf({ type: "Q8_0", rows: 8, cols: 2048 }, bytes));
      const x = quantize(bench, new Float32Array(2048).fill(value * 32767), 1);
      const yPtr = bench.region(32);
      matvecI16(yPtr, w.ptr, packedId("Q8_0"), x.ptr, 8, 2048);
      const expected = 64 * Math.fround(32 * weight * value * 32767);
      assertWithin(bench.f32(yPtr, 8), new Array(8).fill(expected), () => 1e-6 * 2 ** 33, "y");
    }
  }
});

test("NaN and infinite activations are not lost", () => {
  const random = seededRandom(43);
  const tensor = randomTensor({ type: "Q8_0", rows: 8, cols: 64 }, random);
  for (const bad of [NaN, Infinity]) {
    bench.reset();
    const x = gaussian(64, random);
    x[40] = bad;
    const yPtr = bench.region(32);
    const w = packPanels(bench, tensor);
    matvecI16(yPtr, w.ptr, packedId("Q8_0"), quantize(bench, x, 1).ptr, 8, 64);
    assert.ok(bench.f32(yPtr, 8).every(Number.isNaN), `${bad}`);
  }
});

test.run();
