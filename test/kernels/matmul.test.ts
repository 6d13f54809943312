import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES, tensorBytes } from "../../src/format/dtypes.js";
import type { RoundedForm } from "../../src/model/linear.js";
import { gaussian, seededRandom } from "../support/random.js";
import { LARGEST, written } from "./support/activations.js";
import { assertProduct, assertWithin, referenceMatmul } from "./support/linear-reference.js";
import { multiplyAs } from "./support/products.js";
import {
  F16_FIELDS,
  QUANTIZED_TYPES,
  randomTensor,
  type Tensor,
  tensorOf,
} from "./support/tensors.js";
import { Bench } from "./support/wasm.js";

const relaxed = await Bench.create(64, { variant: "relaxed" });
const simd = await Bench.create(64, { variant: "simd" });
const kernels: readonly { name: string; form: RoundedForm; bench: Bench }[] = [
  { name: "matmulI16", form: "I16", bench: relaxed },
  { name: "matmulPlanes 1", form: 1, bench: relaxed },
  { name: "matmulPlanes 2", form: 2, bench: relaxed },
  { name: "matmulPlanes 1 without the relaxed dot", form: 1, bench: simd },
];

for (const { name, form, bench } of kernels) {
  /** Runs the kernel and compares it with both references. */
  const check = (tensor: Tensor, x: Float32Array, offset = 0): Float32Array => {
    const { type, rows, cols } = tensor;
    const { y, activations } = multiplyAs(bench, form, tensor, x, { offset });
    assertProduct(y, { tensor, x, activations }, `${type} ${rows}x${cols}, n = ${x.length / cols}`);
    return y;
  };

  for (const type of QUANTIZED_TYPES) {
    const { blockSize } = TENSOR_TYPES[type];

    test(`${name} agrees with f64: ${type}`, () => {
      const random = seededRandom(50);
      for (const cols of [32, 64, 96, 256, 512, 768, 2048, 8192]) {
        if (cols % blockSize !== 0) continue;
        for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 33]) {
          if (cols > 512 && ![1, 4, 6].includes(n)) continue;
          const tensor = randomTensor({ type, rows: [8, 16, 24][n % 3], cols }, random);
          check(tensor, gaussian(n * cols, random), 4 * Math.floor(random() * 4));
        }
      }
    });

    test(`a row of ${name} does not depend on n, stride or the panels around: ${type}`, () => {
      const random = seededRandom(51);
      const [rows, cols] = [24, 512];
      const tensor = randomTensor({ type, rows, cols }, random);
      const x = gaussian(33 * cols, random);
      const all = multiplyAs(bench, form, tensor, x).y;
      for (const n of [1, 2, 3, 4, 5, 8, 9]) {
        const first = Math.floor(random() * (33 - n));
        const part = x.slice(first * cols, (first + n) * cols);
        const expected = all.slice(first * rows, (first + n) * rows);
        assert.equal(multiplyAs(bench, form, tensor, part).y, expected, `n = ${n}`);
        const { y } = multiplyAs(bench, form, tensor, part, { stride: rows + 11 });
        assert.equal(y, expected, `n = ${n}, spaced`);
        for (const [from, to] of [
          [0, 8],
          [8, 24],
          [16, 24],
        ] as const) {
          const { y } = multiplyAs(bench, form, tensor, part, { rows: [from, to], stride: rows });
          const slice = expected.filter((_, i) => i % rows >= from && i % rows < to);
          assert.equal(y, slice, `n = ${n}, rows ${from} to ${to}`);
        }
      }
    });

    test(`integer sums of extremes do not overflow in ${name}: ${type}`, () => {
      for (const byte of [0x00, 0xff, 0x7f, 0x80, 0x88]) {
        const bytes = new Uint8Array(tensorBytes(type, 8 * 512)).fill(byte);
        const view = new DataView(bytes.buffer);
        for (let at = 0; at < bytes.length; at += TENSOR_TYPES[type].blockBytes) {
          for (const field of F16_FIELDS[type]!) view.setUint16(at + field, 0x2c00, true);
        }
        const tensor = tensorOf({ type, rows: 8, cols: 512 }, bytes);
        for (const value of [1, -1]) {
          const x = new Float32Array(5 * 512).fill(value * LARGEST[form]);
          const { y } = multiplyAs(bench, form, tensor, x);
          const expected = referenceMatmul(tensor.values, x, { n: 5, rows: 8, cols: 512 });
          const most = tensor.magnitudes.reduce((m, w) => Math.max(m, w), 1 / 16);
          const bound = 2e-6 * 512 * LARGEST[form] * most;
          assertWithin(y, expected.y, () => bound, `byte ${byte}, x ${value}`);
        }
      }
    });
  }

  test(`integer sums of a block are exact in ${name}`, () => {
    const random = seededRandom(52);
    for (let round = 0; round < 40; round++) {
      // d = 1, and activations are whole numbers with a scale of 1: every sum is whole, too.
      const bytes = Uint8Array.from(
        { length: 8 * 34 },
        () => [128, 129, 127, 0][(random() * 4) | 0],
      );
      if (round < 8) bytes.fill([128, 127][round & 1]);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += 34) view.setUint16(at, 0x3c00, true);
      const tensor = tensorOf({ type: "Q8_0", rows: 8, cols: 32 }, bytes);
      const most = LARGEST[form] * (round & 2 ? 1 : -1);
      const x = Float32Array.from({ length: 5 * 32 }, (_, i) =>
        i % 32 === 0 || round < 8 ? most : written(form, Math.trunc((2 * random() - 1) * most)),
      );
      const expected = referenceMatmul(tensor.values, x, { n: 5, rows: 8, cols: 32 }).y;
      assert.equal(multiplyAs(bench, form, tensor, x).y, Float32Array.from(expected));
    }
  });

  test(`${name} agrees with f64 for the shapes of PLM-1.8B`, () => {
    const random = seededRandom(53);
    for (const [type, rows, cols, n] of [
      ["Q4_K", 3072, 2048, 1],
      ["Q4_K", 576, 2048, 5],
      ["Q8_0", 4096, 512, 4],
      ["Q6_K", 2048, 2048, 1],
    ] as const) {
      check(randomTensor({ type, rows, cols }, random), gaussian(n * cols, random));
    }
  });

  test(`NaN in one token's activations stays with that token: ${name}`, () => {
    const random = seededRandom(55);
    for (const type of QUANTIZED_TYPES) {
      const tensor = randomTensor({ type, rows: 8, cols: 256 }, random);
      const x = gaussian(6 * 256, random);
      const clean = multiplyAs(bench, form, tensor, x).y;
      x[2 * 256 + 77] = NaN;
      const { y } = multiplyAs(bench, form, tensor, x);
      for (let i = 0; i < y.length; i++) {
        assert.equal(y[i], Math.floor(i / 8) === 2 ? NaN : clean[i], `${type}[${i}]`);
      }
    }
  });
}

test("one plane has the same bits with the relaxed dot and without", () => {
  const random = seededRandom(56);
  for (const type of QUANTIZED_TYPES) {
    const tensor = randomTensor({ type, rows: 24, cols: 512 }, random);
    const x = gaussian(7 * 512, random);
    const expected = multiplyAs(relaxed, 1, tensor, x).y;
    assert.equal(multiplyAs(simd, 1, tensor, x).y, expected, type);
  }
});

test("matmulI16 of Q8 equals matvecI16", () => {
  const random = seededRandom(54);
  const tensor = randomTensor({ type: "Q8_0", rows: 24, cols: 512 }, random);
  const x = gaussian(512, random);
  const { y } = multiplyAs(relaxed, "I16", tensor, x);
  assert.equal(multiplyAs(relaxed, "I16", tensor, x, { isMatvec: true }).y, y);
});

test.run();
