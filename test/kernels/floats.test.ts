import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TensorType } from "../../src/format/dtypes.js";
import { gaussian, seededRandom } from "../support/random.js";
import { assertWithin, type Product, referenceMatmul } from "./support/linear-reference.js";
import {
  activeLists,
  packedId,
  packPanels,
  packSlab,
  putActive,
  putShape,
  putSlabShape,
} from "./support/packing.js";
import {
  FLOAT_TYPES,
  randomTensor,
  sparseGaussian,
  type Tensor,
  tensorOf,
} from "./support/tensors.js";
import { Bench, UNWRITTEN, UNWRITTEN_BYTE } from "./support/wasm.js";

const bench = await Bench.create(48);

function matmul(tensor: Tensor, x: Float32Array, n: number, offset = 0): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packPanels(bench, tensor, offset);
  const xPtr = bench.put(x, offset);
  const yPtr = bench.region(n * rows * 4, offset);
  const shapePtr = putShape(bench, { n, rows, cols });
  bench.kernels.matmulF32(yPtr, w.ptr, packedId(type), xPtr, shapePtr);
  bench.checkGuards();
  return bench.f32(yPtr, n * rows);
}

function sparseMatmul(
  tensor: Tensor,
  x: Float32Array,
  n: number,
  [first, end]: readonly [number, number] = [0, tensor.rows],
): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packSlab(bench, tensor);
  const xPtr = bench.put(x, 4);
  const yPtr = bench.region(n * rows * 4, 4);
  bench.u8(yPtr, n * rows * 4).fill(UNWRITTEN_BYTE);
  const activePtr = putActive(bench, activeLists(x, n), cols, 4);
  const shapePtr = putSlabShape(bench, { neurons: cols, outputs: rows, first, end });
  bench.kernels.sparseMatmulF32(yPtr, w.ptr, packedId(type), xPtr, activePtr, n, shapePtr);
  bench.checkGuards();
  return bench.f32(yPtr, n * rows);
}

/**
 * Error of matmulF32: one rounding of the result, after sums in f64 (F32) or, for the narrower
 * types, a few roundings of the size of 64 products.
 */
function boundOf(type: TensorType, { y, norm }: Product): (i: number) => number {
  const terms = type === "F32" ? 2 ** -20 : 8;
  return (i) => 2 ** -24 * (Math.abs(y[i]) + terms * norm[i]);
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
        assertWithin(y, expected.y, boundOf(type, expected), `${type}, ${n} x ${cols}`);
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

  test(`sparseMatmulF32 agrees with f64 and skips zeros: ${type}`, () => {
    const random = seededRandom(72);
    for (const [rows, cols] of [
      [4, 1],
      [12, 7],
      [64, 96],
      [512, 64],
    ]) {
      const tensor = randomTensor({ type, rows, cols }, random);
      for (const density of [0, 0.1, 1]) {
        for (const n of [1, 2, 3, 4, 5]) {
          const x = sparseGaussian(n * cols, density, random);
          const y = sparseMatmul(tensor, x, n);
          const expected = referenceMatmul(tensor.values, x, { n, rows, cols });
          // The sum rounds once for every 8 neurons, and the sum of these 8 a few times.
          assertWithin(y, expected.y, (i) => 2e-6 * expected.norm[i], `${rows}x${cols}`);
          for (let t = 0; t < n; t++) {
            const alone = sparseMatmul(tensor, x.slice(t * cols, (t + 1) * cols), 1);
            assert.equal(alone, y.slice(t * rows, (t + 1) * rows));
          }
        }
      }
    }
  });
}

for (const type of FLOAT_TYPES) {
  test(`separate rows and outputs equal those of the whole: ${type}`, () => {
    const random = seededRandom(75);
    const [rows, cols] = [192, 96];
    const tensor = randomTensor({ type, rows, cols }, random);
    const rowBytes = tensor.bytes.length / rows;
    for (const n of [1, 3]) {
      const x = sparseGaussian(n * cols, 0.3, random);
      const [dense, sparse] = [matmul(tensor, x, n), sparseMatmul(tensor, x, n)];
      for (const [first, end] of [
        [0, 64],
        [64, 128],
        [128, 192],
        [64, 192],
      ] as const) {
        const inside = (_: number, i: number): boolean => i % rows >= first && i % rows < end;
        const bytes = tensor.bytes.slice(first * rowBytes, end * rowBytes);
        const part = tensorOf({ type, rows: end - first, cols }, bytes);
        assert.equal(matmul(part, x, n), dense.filter(inside), `rows ${first} to ${end}`);
        const y = sparseMatmul(tensor, x, n, [first, end]);
        const expected = sparse.map((value, i) => (inside(value, i) ? value : UNWRITTEN));
        assert.equal(y, expected, `outputs ${first} to ${end}`);
      }
    }
  });

  test(`a token's outputs may be spaced: ${type}`, () => {
    const random = seededRandom(76);
    const tensor = randomTensor({ type, rows: 5, cols: 64 }, random);
    const x = gaussian(3 * 64, random);
    const expected = matmul(tensor, x, 3);
    bench.reset();
    const w = packPanels(bench, tensor);
    const yPtr = bench.put(new Float32Array(2 * 9 + 5).fill(7));
    const shapePtr = putShape(bench, { n: 3, rows: 5, cols: 64, stride: 9 });
    bench.kernels.matmulF32(yPtr, w.ptr, packedId(type), bench.put(x), shapePtr);
    bench.checkGuards();
    bench.f32(yPtr, 2 * 9 + 5).forEach((value, i) => {
      assert.is(value, i % 9 < 5 ? expected[Math.floor(i / 9) * 5 + (i % 9)] : 7);
    });
  });
}

test("matmulF32 keeps NaN and infinity within their token", () => {
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
    const expected = referenceMatmul(tensor.values, x, shape);
    assertWithin(matmul(tensor, x, 1), expected.y, boundOf(type, expected), type);
  }
});

test.run();
