import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES } from "../../src/format/dtypes.js";
import { absorbedBytes } from "../../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../../src/model/weights.js";
import { relativeRms } from "../support/close.js";
import { gaussian, seededRandom } from "../support/random.js";
import { absorbAs, packAbsorbed } from "./support/absorbing.js";
import { assertWithin, referenceMatmul, transpose } from "./support/linear-reference.js";
import { isFloat } from "./support/packing.js";
import {
  FLOAT_TYPES,
  QUANTIZED_TYPES,
  randomTensor,
  scalesOf,
  type Tensor,
  tensorOf,
} from "./support/tensors.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create(48, { variant: "relaxed" });
const forms = ["I16", "S8X2"] as const;
type Form = (typeof forms)[number];

/**
 * Largest error of rounding x times a scale to 16 bits: of x times the row's largest scale, of the
 * scale and of their product, half a step of the largest of 32 rows each (and 2^-7 of one for f32),
 * times the largest integer, for each row.
 */
function roundingBound(tensor: Tensor, x: Float32Array): number {
  if (isFloat(tensor.type)) return 0;
  const { rows, cols } = tensor;
  const { scales, largest } = scalesOf(tensor.type, tensor.bytes);
  let bound = 0;
  for (let r = 0; r < rows; r += 32) {
    const end = Math.min(r + 32, rows);
    let most = 0;
    for (let i = r; i < end; i++) {
      const row = scales.subarray(i * cols, (i + 1) * cols);
      most = Math.max(most, Math.abs(x[i]) * row.reduce((m, scale) => Math.max(m, scale), 0));
    }
    bound += ((end - r) * largest * most * (1.5 + 2 ** -7)) / 32639;
  }
  return bound;
}

function check(form: Form, tensor: Tensor, x: Float32Array, offset = 0): Float32Array {
  const { type, rows, cols, values } = tensor;
  const y = absorbAs(bench, form, tensor, x, offset);
  const shape = { n: 1, rows: cols, cols: rows };
  const expected = referenceMatmul(transpose(values, rows, cols), x, shape);
  const bound = roundingBound(tensor, x);
  const what = `${type} ${rows}x${cols}`;
  // Each 32 rows (floats: each row) round a sum once: 1e-5 of the norm.
  assertWithin(y, expected.y, (i) => bound + 1e-5 * expected.norm[i], what);
  const rms = relativeRms(y, expected.y);
  assert.ok(!(rms > (isFloat(type) ? 2e-6 : 2e-4)), `${what}: ${rms}`);
  return y;
}

const cases = [
  ...forms.flatMap((form) => QUANTIZED_TYPES.map((type) => ({ form, type }))),
  ...FLOAT_TYPES.map((type) => ({ form: "I16" as const, type })),
];

for (const { form, type } of cases) {
  const { blockSize } = TENSOR_TYPES[type];
  const name = isFloat(type) ? "absorbF32" : `absorb${form}`;

  test(`${name} agrees with f64: ${type}`, () => {
    const random = seededRandom(60);
    for (const cols of [32, 64, 96, 256, 512, 2048, 8192]) {
      if (cols % blockSize !== 0) continue;
      for (const rows of [8, 24, 32, 40, 128]) {
        if (rows * cols > 100000) continue;
        const tensor = randomTensor({ type, rows, cols }, random);
        check(form, tensor, gaussian(rows, random), 4 * Math.floor(random() * 4));
      }
    }
  });

  test(`zeros, subnormals, NaN and infinity: ${name} ${type}`, () => {
    const random = seededRandom(61);
    const tensor = randomTensor({ type, rows: 24, cols: 256 }, random);
    const absorb = (x: Float32Array): Float32Array => absorbAs(bench, form, tensor, x);
    const x = gaussian(24, random);
    x.fill(0, 8, 16);
    x[17] = 0;
    check(form, tensor, x);
    assert.ok(absorb(new Float32Array(24)).every((value) => value === 0));
    const tiny = absorb(new Float32Array(24).fill(1e-41));
    assert.ok(tiny.every((value) => Math.abs(value) < 1e-33));
    for (const bad of [NaN, Infinity]) {
      x[3] = bad;
      const y = absorb(x);
      for (let c = 0; c < 256; c++) {
        const expected = tensor.values[3 * 256 + c] !== 0;
        if (expected) assert.not(Number.isFinite(y[c]), `${bad}, column ${c}`);
      }
    }
  });
}

for (const form of forms) {
  test(`absorb${form} agrees with f64 for keys of PLM-1.8B`, () => {
    const random = seededRandom(62);
    for (const type of ["Q8_0", "Q4_K", "Q6_K"] as const) {
      const tensor = randomTensor({ type, rows: 128, cols: 512 }, random);
      check(form, tensor, gaussian(128, random));
    }
  });

  test(`integer sums of extremes do not overflow in absorb${form}`, () => {
    for (const weight of [127, -128]) {
      const bytes = new Uint8Array(64 * 34 * 2).fill(weight & 255);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += 34) view.setUint16(at, 0x3c00, true);
      const tensor = tensorOf({ type: "Q8_0", rows: 64, cols: 64 }, bytes);
      for (const value of [32767, -32767]) {
        const y = absorbAs(bench, form, tensor, new Float32Array(64).fill(value));
        const expected = 64 * weight * value;
        assertWithin(y, new Array(64).fill(expected), () => Math.abs(expected) * 1e-6, "y");
      }
    }
  });
}

test("packAbsorbed writes the same wherever keys lie, and nothing beside them", () => {
  const random = seededRandom(63);
  for (const type of QUANTIZED_TYPES) {
    const tensor = randomTensor({ type, rows: 40, cols: 256 }, random);
    const bytes = absorbedBytes(PACKED_TYPE_OF[type], 40, 256);
    bench.reset();
    const first = bench.u8(packAbsorbed(bench, tensor), bytes).slice();
    bench.reset();
    const second = bench.u8(packAbsorbed(bench, tensor, 4), bytes).slice();
    bench.checkGuards();
    assert.equal(first, second, type);
  }
});

test.run();
