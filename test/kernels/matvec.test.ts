import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TensorType } from "../../src/format/dtypes.js";
import type { RoundedForm } from "../../src/model/linear.js";
import { gaussian, seededRandom } from "../support/random.js";
import { LARGEST } from "./support/activations.js";
import { assertProduct } from "./support/linear-reference.js";
import { multiplyAs } from "./support/products.js";
import { randomTensor, type Tensor, tensorOf } from "./support/tensors.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create(48, { variant: "relaxed" });
const forms: readonly RoundedForm[] = ["I16", "S8X2"];

/** Types of files that are packed as the types that have a matvec. */
const TYPES: readonly TensorType[] = ["Q8_0", "Q5_0", "Q4_0", "Q4_1", "Q4_K"];

for (const form of forms) {
  const name = `matvec${form}`;

  /** Runs the matvec and compares it with both references; returns its result. */
  const check = (tensor: Tensor, x: Float32Array, offset = 0): Float32Array => {
    const { y, activations } = multiplyAs(bench, form, tensor, x, { offset, isMatvec: true });
    assertProduct(y, { tensor, x, activations }, `${tensor.type} ${tensor.rows}x${tensor.cols}`);
    return y;
  };

  for (const type of TYPES) {
    // Too rare a type to have its own.
    if (form === "S8X2" && type === "Q4_1") continue;

    test(`${name} agrees with f64 for all shapes and offsets: ${type}`, () => {
      const random = seededRandom(40);
      for (const cols of [32, 64, 96, 256, 512, 2048, 8192]) {
        if (type === "Q4_K" && cols < 256) continue;
        for (const rows of [8, 16, 24]) {
          const x = gaussian(cols, random);
          check(randomTensor({ type, rows, cols }, random), x, 4 * Math.floor(random() * 4));
        }
      }
    });

    test(`rows of ${name} by themselves are those of the whole: ${type}`, () => {
      const random = seededRandom(45);
      const tensor = randomTensor({ type, rows: 40, cols: 512 }, random);
      const x = gaussian(512, random);
      const whole = check(tensor, x);
      for (const rows of [
        [0, 8],
        [8, 24],
        [24, 40],
        [32, 40],
      ] as const) {
        const { y } = multiplyAs(bench, form, tensor, x, { rows, isMatvec: true });
        assert.equal(y, whole.slice(...rows), `rows ${rows}`);
      }
    });
  }

  test(`${name} agrees with f64 for the shapes of PLM-1.8B`, () => {
    const random = seededRandom(41);
    for (const [rows, cols] of [
      [3072, 2048],
      [576, 2048],
      [4096, 512],
      [8192, 2048],
    ]) {
      check(randomTensor({ type: "Q8_0", rows, cols }, random), gaussian(cols, random));
    }
    check(randomTensor({ type: "Q4_0", rows: 576, cols: 2048 }, random), gaussian(2048, random));
  });

  test(`zero rows and zero activations give zeros, in the middle of others too: ${name}`, () => {
    const random = seededRandom(42);
    const tensor = randomTensor({ type: "Q8_0", rows: 16, cols: 128 }, random);
    const rowBytes = tensor.bytes.length / 16;
    tensor.bytes.fill(0, 5 * rowBytes, 6 * rowBytes);
    const zeroed = tensorOf(tensor, tensor.bytes);
    const x = gaussian(128, random);
    x.fill(0, 32, 64);
    assert.is(check(zeroed, x)[5], 0);
    assert.ok(check(zeroed, new Float32Array(128)).every((value) => value === 0));
  });

  test(`NaN and infinite activations are not lost by ${name}`, () => {
    const random = seededRandom(43);
    for (const type of TYPES) {
      const tensor = randomTensor({ type, rows: 8, cols: 256 }, random);
      for (const bad of [NaN, Infinity]) {
        const x = gaussian(256, random);
        x[40] = bad;
        const { y } = multiplyAs(bench, form, tensor, x, { isMatvec: true });
        assert.ok(y.every(Number.isNaN), `${type}, ${bad}`);
      }
    }
  });

  test(`integer sums of extremes are exact in ${name}`, () => {
    const random = seededRandom(46);
    for (const [type, blockBytes, bytes] of [
      ["Q8_0", 34, [0x80, 0x81, 0x7f, 0xff, 0x00]],
      ["Q4_0", 18, [0x00, 0xff, 0x0f, 0xf0, 0x88]],
    ] as const) {
      for (let round = 0; round < 40; round++) {
        // d = 1, and activations that are whole numbers with a scale of 1: so is every sum.
        const pick = (): number =>
          round < bytes.length ? bytes[round] : bytes[Math.floor(random() * bytes.length)];
        const file = Uint8Array.from({ length: 8 * blockBytes }, pick);
        const view = new DataView(file.buffer);
        for (let at = 0; at < file.length; at += blockBytes) view.setUint16(at, 0x3c00, true);
        const tensor = tensorOf({ type, rows: 8, cols: 32 }, file);
        const sign = round % 2 === 0 ? 1 : -1;
        const x = Float32Array.from({ length: 32 }, (_, i) =>
          i === 0 || round < 2 * bytes.length || random() < 0.5
            ? sign * LARGEST[form]
            : Math.floor((2 * random() - 1) * LARGEST[form]),
        );
        const { y } = multiplyAs(bench, form, tensor, x, { isMatvec: true });
        y.forEach((value, r) => {
          const weights = tensor.values.subarray(r * 32, r * 32 + 32);
          const sum = weights.reduce((total, weight, i) => total + weight * x[i], 0);
          assert.is(value, Math.fround(sum), `${type}, round ${round}, row ${r}`);
        });
      }
    }
  });
}

test.run();
