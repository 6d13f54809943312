import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES, tensorBytes } from "../../src/format/dtypes.js";
import { sparseScratchBytes, unpackedPanelBytes } from "../../src/kernels/packed.js";
import { gaussian, seededRandom } from "../support/random.js";
import { assertProduct, assertWithin, referenceMatmul } from "./support/linear-reference.js";
import {
  type Activations,
  activeLists,
  packedId,
  packPanels,
  packSlab,
  putActive,
  putShape,
  putSlabShape,
  quantize,
} from "./support/packing.js";
import {
  F16_FIELDS,
  QUANTIZED_TYPES,
  randomTensor,
  sparseGaussian,
  type Tensor,
  tensorOf,
} from "./support/tensors.js";
import { Bench, UNWRITTEN, UNWRITTEN_BYTE } from "./support/wasm.js";

const bench = await Bench.create(64);

interface Result {
  y: Float32Array;
  activations: Activations;
}

/** sparseMatmulI16 over each token's list. */
function sparseMatmul(
  tensor: Tensor,
  x: Float32Array,
  lists: number[][],
  offset = 0,
  [first, end]: readonly [number, number] = [0, tensor.rows],
): Result {
  bench.reset();
  const { type, rows, cols } = tensor;
  const n = lists.length;
  const w = packSlab(bench, tensor);
  const activations = quantize(bench, x, n, offset);
  const yPtr = bench.region(n * rows * 4, offset);
  bench.u8(yPtr, n * rows * 4).fill(UNWRITTEN_BYTE);
  const activePtr = putActive(bench, lists, cols, offset);
  const shapePtr = putSlabShape(bench, { neurons: cols, outputs: rows, first, end });
  const scratchPtr = bench.region(sparseScratchBytes(n, rows), offset);
  const id = packedId(type);
  const { sparseMatmulI16 } = bench.kernels;
  sparseMatmulI16(yPtr, w.ptr, id, activations.ptr, activePtr, n, shapePtr, scratchPtr);
  bench.checkGuards();
  return { y: bench.f32(yPtr, n * rows), activations };
}

/** Runs sparseMatmulI16 over the nonzero neurons and compares it with both references. */
function check(tensor: Tensor, x: Float32Array, n: number, offset = 0): Float32Array {
  const { type, rows, cols } = tensor;
  const what = `${type} ${rows}x${cols}, n = ${n}`;
  const { y, activations } = sparseMatmul(tensor, x, activeLists(x, n), offset);
  assertProduct(y, { tensor, x, activations }, what);
  return y;
}

for (const type of QUANTIZED_TYPES) {
  const { blockSize } = TENSOR_TYPES[type];
  const group = ["Q2_K", "Q3_K", "Q5_K", "Q6_K"].includes(type) ? 16 : 32;

  test(`sparseMatmulI16 agrees with f64: ${type}`, () => {
    const random = seededRandom(80);
    for (const rows of type === "Q6_K" ? [64, 128, 192] : [32, 64, 96, 160]) {
      for (const cols of [32, 64, 96, 256, 512, 768]) {
        if (cols % blockSize !== 0) continue;
        const tensor = randomTensor({ type, rows, cols }, random);
        for (const n of [1, 2, 3, 4, 5]) {
          for (const density of [0, 0.1, 1]) {
            const x = sparseGaussian(n * cols, density, random);
            check(tensor, x, n, 4 * Math.floor(random() * 4));
          }
        }
      }
    }
  });

  test(`lists may start and end at any group and hold one neuron: ${type}`, () => {
    const random = seededRandom(81);
    const [rows, cols] = [64, 512];
    const tensor = randomTensor({ type, rows, cols }, random);
    const whole = gaussian(cols, random);
    const ranges = [0, group - 1, group, 2 * group - 1, 255, 256, 511].map((i) => [i, i + 1]);
    ranges.push([0, group], [group, 2 * group], [1, group - 1], [group - 1, group + 1]);
    ranges.push([3 * group, 512], [255, 257], [512 - group, 512]);
    for (const [first, end] of ranges) {
      check(
        tensor,
        whole.map((value, i) => (i >= first && i < end ? value : 0)),
        1,
      );
    }
  });

  test(`a zero neuron in the list makes no difference: ${type}`, () => {
    const random = seededRandom(82);
    const [rows, cols, n] = [64, 256, 3];
    const tensor = randomTensor({ type, rows, cols }, random);
    const x = sparseGaussian(n * cols, 0.1, random);
    const every = Array.from({ length: n }, () => Array.from({ length: cols }, (_, i) => i));
    assert.equal(sparseMatmul(tensor, x, every).y, check(tensor, x, n));
  });

  test(`sparse agrees with dense: ${type}`, () => {
    const random = seededRandom(83);
    const [rows, cols, n] = [64, 512, 5];
    const tensor = randomTensor({ type, rows, cols }, random);
    const x = sparseGaussian(n * cols, 0.3, random);
    const y = check(tensor, x, n);
    bench.reset();
    const densePtr = bench.region(n * rows * 4);
    const w = packPanels(bench, tensor).ptr;
    const { ptr, values } = quantize(bench, x, n);
    const scratchPtr = bench.region(unpackedPanelBytes(cols));
    const shapePtr = putShape(bench, { n, rows, cols });
    bench.kernels.matmulI16(densePtr, w, packedId(type), ptr, shapePtr, scratchPtr);
    const dense = bench.f32(densePtr, n * rows);
    // The same sums in the same order, except for the 32 activations of a minimum, which dense adds
    // in two halves.
    if (F16_FIELDS[type]!.length === 1 || group === 16) return assert.equal(y, dense);
    const { norm } = referenceMatmul(tensor.magnitudes, values, { n, rows, cols });
    assertWithin(y, dense, (i) => 1e-6 * norm[i], type);
  });

  test(`separate outputs equal those of the whole, and no others are written: ${type}`, () => {
    const random = seededRandom(85);
    const [rows, cols] = [256, 512];
    const tensor = randomTensor({ type, rows, cols }, random);
    for (const n of [1, 3]) {
      const x = sparseGaussian(n * cols, 0.2, random);
      const lists = activeLists(x, n);
      const whole = sparseMatmul(tensor, x, lists).y;
      for (const [first, end] of [
        [0, 64],
        [64, 128],
        [128, 256],
        [0, 192],
        [192, 256],
      ] as const) {
        const { y } = sparseMatmul(tensor, x, lists, 0, [first, end]);
        const expected = whole.map((value, i) =>
          i % rows >= first && i % rows < end ? value : UNWRITTEN,
        );
        assert.equal(y, expected, `${n} tokens, outputs ${first} to ${end}`);
      }
    }
  });

  test(`a token does not depend on the others of its batch: ${type}`, () => {
    const random = seededRandom(84);
    const [rows, cols, n] = [64, 256, 5];
    const tensor = randomTensor({ type, rows, cols }, random);
    const x = new Float32Array(n * cols);
    [1, 0, 0.1, 0.02, 0.5].forEach((density, t) => {
      x.set(sparseGaussian(cols, density, random), t * cols);
    });
    const clean = check(tensor, x, n);
    for (let t = 0; t < n; t++) {
      const alone = check(tensor, x.slice(t * cols, (t + 1) * cols), 1);
      assert.equal(alone, clean.slice(t * rows, (t + 1) * rows), `token ${t}`);
    }
    x[2 * cols + 50] = NaN;
    const { y } = sparseMatmul(tensor, x, activeLists(x, n));
    y.forEach((value, i) => {
      assert.equal(value, Math.floor(i / rows) === 2 ? NaN : clean[i], `[${i}]`);
    });
  });

  test(`integer sums of extremes do not overflow in sparseMatmulI16: ${type}`, () => {
    for (const byte of [0x00, 0xff, 0x7f, 0x80, 0x88]) {
      const bytes = new Uint8Array(tensorBytes(type, 64 * 256)).fill(byte);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += TENSOR_TYPES[type].blockBytes) {
        for (const field of F16_FIELDS[type]!) view.setUint16(at + field, 0x2c00, true);
      }
      const tensor = tensorOf({ type, rows: 64, cols: 256 }, bytes);
      for (const value of [1, -1]) {
        const x = new Float32Array(256).fill(value * 32767);
        const { y } = sparseMatmul(tensor, x, activeLists(x, 1));
        const expected = referenceMatmul(tensor.values, x, { n: 1, rows: 64, cols: 256 });
        const most = tensor.magnitudes.reduce((m, w) => Math.max(m, w), 1 / 16);
        const bound = 2e-6 * 256 * 32767 * most;
        assertWithin(y, expected.y, () => bound, `byte ${byte}, x ${value}`);
      }
    }
  });
}

test("sparseMatmulI16 agrees with f64 for ffn_down of PLM-1.8B", () => {
  const random = seededRandom(86);
  for (const type of ["Q8_0", "Q4_K", "Q6_K"] as const) {
    const tensor = randomTensor({ type, rows: 2048, cols: 8192 }, random);
    check(tensor, sparseGaussian(8192, 0.1, random), 1);
  }
});

test.run();
