import { test } from "uvu";
import * as assert from "uvu/assert";
import { gaussian, seededRandom } from "../random.js";
import { assertWithin, referenceMatmul } from "./linear-reference.js";
import { packedId, packPanels, packSlab } from "./packing.js";
import { FLOAT_TYPES, randomTensor, type Tensor } from "./tensors.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create(48);

function matmul(tensor: Tensor, x: Float32Array, n: number, offset = 0): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packPanels(bench, tensor, offset);
  const xPtr = bench.put(x, offset);
  const yPtr = bench.region(n * rows * 4, offset);
  bench.kernels.matmulF32(yPtr, w.ptr, packedId(type), xPtr, n, rows, cols);
  bench.checkGuards();
  return bench.f32(yPtr, n * rows);
}

function sparseMatmul(tensor: Tensor, x: Float32Array, n: number): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packSlab(bench, tensor);
  const xPtr = bench.put(x, 4);
  const yPtr = bench.region(n * rows * 4, 4);
  bench.kernels.sparseMatmulF32(yPtr, w.ptr, packedId(type), xPtr, n, cols, rows);
  bench.checkGuards();
  return bench.f32(yPtr, n * rows);
}

/** x with a share of its values kept and the others zero. */
function thin(x: Float32Array, density: number, random: () => number): Float32Array {
  return x.map((value) => (random() < density ? value : 0));
}

for (const type of FLOAT_TYPES) {
  test(`matmulF32 agrees with f64: ${type}`, () => {
    const random = seededRandom(70);
    for (const cols of [16, 32, 48, 64, 80, 144, 512, 2048, 8192]) {
      for (const n of [1, 2, 3, 5, 9]) {
        const shape = { n, rows: [1, 3, 8][n % 3], cols };
        const tensor = randomTensor({ ...shape, type }, random);
        const x = gaussian(n * cols, random);
        const y = matmul(tensor, x, n, 4 * Math.floor(random() * 4));
        const expected = referenceMatmul(tensor.values, x, shape);
        // f32 over 64 products, then f64: a few roundings of their size, then one of the result.
        const bound = (i: number): number =>
          2 ** -24 * (Math.abs(expected.y[i]) + 8 * expected.norm[i]);
        assertWithin(y, expected.y, bound, `${type}, ${n} x ${cols}`);
      }
    }
  });

  test(`a row of matmulF32 does not depend on n: ${type}`, () => {
    const random = seededRandom(71);
    const tensor = randomTensor({ type, rows: 5, cols: 192 }, random);
    const x = gaussian(7 * 192, random);
    const all = matmul(tensor, x, 7);
    for (let t = 0; t < 7; t++) {
      const row = matmul(tensor, x.slice(t * 192, (t + 1) * 192), 1);
      assert.equal(row, all.slice(t * 5, (t + 1) * 5));
    }
  });

  test(`sparseMatmulF32 agrees with f64 and leaves zeros out: ${type}`, () => {
    const random = seededRandom(72);
    for (const [rows, cols] of [
      [4, 1],
      [12, 7],
      [64, 96],
      [2048, 64],
    ]) {
      const tensor = randomTensor({ type, rows, cols }, random);
      for (const density of [0, 0.1, 1]) {
        for (const n of [1, 2, 3, 4, 5]) {
          const x = thin(gaussian(n * cols, random), density, random);
          const y = sparseMatmul(tensor, x, n);
          const expected = referenceMatmul(tensor.values, x, { n, rows, cols });
          // The sum rounds once a neuron.
          assertWithin(y, expected.y, (i) => 4e-6 * expected.norm[i], `${rows}x${cols}`);
          for (let t = 0; t < n; t++) {
            const alone = sparseMatmul(tensor, x.slice(t * cols, (t + 1) * cols), 1);
            assert.equal(alone, y.slice(t * rows, (t + 1) * rows));
          }
        }
      }
    }
  });
}

test("matmulF32 keeps NaN and infinity to their token", () => {
  const random = seededRandom(73);
  const tensor = randomTensor({ type: "F16", rows: 4, cols: 64 }, random);
  const x = gaussian(3 * 64, random);
  x[64 + 9] = NaN;
  const y = matmul(tensor, x, 3);
  assert.equal(Array.from(y.subarray(4, 8)), new Array(4).fill(NaN));
  assert.ok([...y.subarray(0, 4), ...y.subarray(8)].every(Number.isFinite));
  const sparse = sparseMatmul(tensor, x, 3);
  assert.equal(Array.from(sparse.subarray(4, 8)), new Array(4).fill(NaN));
  assert.ok([...sparse.subarray(0, 4), ...sparse.subarray(8)].every(Number.isFinite));
});

test("matmulF32 agrees with f64 for a shape of PLM-1.8B", () => {
  const random = seededRandom(74);
  const shape = { n: 1, rows: 576, cols: 2048 };
  for (const type of FLOAT_TYPES) {
    const tensor = randomTensor({ ...shape, type }, random);
    const x = gaussian(2048, random);
    const { y, norm } = referenceMatmul(tensor.values, x, shape);
    assertWithin(matmul(tensor, x, 1), y, (i) => 2 ** -24 * (Math.abs(y[i]) + 8 * norm[i]), type);
  }
});

test.run();
