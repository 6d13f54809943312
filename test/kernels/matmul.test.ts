import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES, tensorBytes } from "../../src/format/dtypes.js";
import { unpackedPanelBytes } from "../../src/kernels/packed.js";
import { gaussian, seededRandom } from "../random.js";
import { assertProduct, assertWithin, referenceMatmul } from "./linear-reference.js";
import { type Activations, packedId, packPanels, putShape, quantize } from "./packing.js";
import { F16_FIELDS, QUANTIZED_TYPES, randomTensor, type Tensor, tensorOf } from "./tensors.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create(64);

interface Result {
  y: Float32Array;
  activations: Activations;
}

function matmul(tensor: Tensor, x: Float32Array, n: number, offset = 0): Result {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packPanels(bench, tensor, offset);
  const activations = quantize(bench, x, n, offset);
  const yPtr = bench.region(n * rows * 4, offset);
  const scratchPtr = bench.region(unpackedPanelBytes(cols), offset);
  const id = packedId(type);
  const shapePtr = putShape(bench, { n, rows, cols });
  bench.kernels.matmulI16(yPtr, w.ptr, id, activations.ptr, shapePtr, scratchPtr);
  bench.checkGuards();
  return { y: bench.f32(yPtr, n * rows), activations };
}

/** Runs matmulI16 and compares it with both references. */
function check(tensor: Tensor, x: Float32Array, n: number, offset = 0): Float32Array {
  const { type, rows, cols } = tensor;
  const what = `${type} ${rows}x${cols}, n = ${n}`;
  const { y, activations } = matmul(tensor, x, n, offset);
  assertProduct(y, { tensor, x, activations }, what);
  return y;
}

for (const type of QUANTIZED_TYPES) {
  const { blockSize } = TENSOR_TYPES[type];

  test(`matmulI16 agrees with f64: ${type}`, () => {
    const random = seededRandom(50);
    for (const cols of [32, 64, 96, 256, 512, 768, 2048, 8192]) {
      if (cols % blockSize !== 0) continue;
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 33]) {
        if (cols > 512 && ![1, 4, 6].includes(n)) continue;
        const tensor = randomTensor({ type, rows: [8, 16, 24][n % 3], cols }, random);
        check(tensor, gaussian(n * cols, random), n, 4 * Math.floor(random() * 4));
      }
    }
  });

  test(`a row of matmulI16 does not depend on n: ${type}`, () => {
    const random = seededRandom(51);
    const [rows, cols] = [16, 512];
    const tensor = randomTensor({ type, rows, cols }, random);
    const x = gaussian(33 * cols, random);
    const all = matmul(tensor, x, 33).y;
    for (const n of [1, 2, 3, 4, 5, 8, 9]) {
      const first = Math.floor(random() * (33 - n));
      const { y } = matmul(tensor, x.slice(first * cols, (first + n) * cols), n);
      assert.equal(y, all.slice(first * rows, (first + n) * rows), `n = ${n}`);
    }
  });

  test(`integer sums of extremes do not overflow in matmulI16: ${type}`, () => {
    for (const byte of [0x00, 0xff, 0x7f, 0x80, 0x88]) {
      const bytes = new Uint8Array(tensorBytes(type, 8 * 512)).fill(byte);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += TENSOR_TYPES[type].blockBytes) {
        for (const field of F16_FIELDS[type]!) view.setUint16(at + field, 0x2c00, true);
      }
      const tensor = tensorOf({ type, rows: 8, cols: 512 }, bytes);
      for (const value of [1, -1]) {
        const x = new Float32Array(5 * 512).fill(value * 32767);
        const { y } = matmul(tensor, x, 5);
        const expected = referenceMatmul(tensor.values, x, { n: 5, rows: 8, cols: 512 });
        const most = tensor.magnitudes.reduce((m, w) => Math.max(m, w), 1 / 16);
        const bound = 2e-6 * 512 * 32767 * most;
        assertWithin(y, expected.y, () => bound, `byte ${byte}, x ${value}`);
      }
    }
  });
}

test("matmulI16 agrees with f64 for the shapes of PLM-1.8B", () => {
  const random = seededRandom(53);
  for (const [type, rows, cols, n] of [
    ["Q4_K", 3072, 2048, 1],
    ["Q4_K", 576, 2048, 5],
    ["Q8_0", 4096, 512, 4],
    ["Q6_K", 2048, 2048, 1],
  ] as const) {
    check(randomTensor({ type, rows, cols }, random), gaussian(n * cols, random), n);
  }
});

test("matmulI16 of Q8 equals matvecI16", () => {
  const random = seededRandom(54);
  const tensor = randomTensor({ type: "Q8_0", rows: 24, cols: 512 }, random);
  const x = gaussian(512, random);
  const { y } = matmul(tensor, x, 1);
  bench.reset();
  const yPtr = bench.region(24 * 4);
  const w = packPanels(bench, tensor);
  bench.kernels.matvecI16(yPtr, w.ptr, packedId("Q8_0"), quantize(bench, x, 1).ptr, 24, 512);
  assert.equal(bench.f32(yPtr, 24), y);
});

test("NaN in one token's activations stays with that token", () => {
  const random = seededRandom(55);
  for (const type of QUANTIZED_TYPES) {
    const tensor = randomTensor({ type, rows: 8, cols: 256 }, random);
    const x = gaussian(6 * 256, random);
    const clean = matmul(tensor, x, 6).y;
    x[2 * 256 + 77] = NaN;
    const { y } = matmul(tensor, x, 6);
    for (let i = 0; i < y.length; i++) {
      assert.equal(y[i], Math.floor(i / 8) === 2 ? NaN : clean[i], `${type}[${i}]`);
    }
  }
});

test.run();
