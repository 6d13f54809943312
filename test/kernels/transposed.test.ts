import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES } from "../../src/format/dtypes.js";
import { unpackedPanelBytes } from "../../src/kernels/packed.js";
import { relativeRms } from "../close.js";
import { gaussian, seededRandom } from "../random.js";
import { assertWithin, referenceMatmul, transpose } from "./linear-reference.js";
import { isFloat, packedId, packPanels } from "./packing.js";
import {
  FLOAT_TYPES,
  QUANTIZED_TYPES,
  randomTensor,
  scalesOf,
  type Tensor,
  tensorOf,
} from "./tensors.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create(48);

function matvecTransposed(tensor: Tensor, x: Float32Array, offset = 0): Float32Array {
  bench.reset();
  const { type, rows, cols } = tensor;
  const w = packPanels(bench, tensor, offset);
  const yPtr = bench.region(cols * 4, offset);
  const xPtr = bench.put(x, offset);
  const scratchPtr = bench.region(isFloat(type) ? 0 : unpackedPanelBytes(cols));
  bench.kernels.matvecTransposed(yPtr, w.ptr, packedId(type), xPtr, rows, cols, scratchPtr);
  bench.checkGuards();
  return bench.f32(yPtr, cols);
}

/**
 * Largest error of rounding x times a scale to 16 bits: half a step of the largest product of a
 * panel of 8 rows (and 2^-8 of one for f32), times the largest integer, for each row.
 */
function roundingBound(tensor: Tensor, x: Float32Array): number {
  if (isFloat(tensor.type)) return 0;
  const { rows, cols } = tensor;
  const { scales, largest } = scalesOf(tensor.type, tensor.bytes);
  let bound = 0;
  for (let r = 0; r < rows; r += 8) {
    let most = 0;
    for (let i = r; i < r + 8; i++) {
      const row = scales.subarray(i * cols, (i + 1) * cols);
      most = Math.max(most, Math.abs(x[i]) * row.reduce((m, scale) => Math.max(m, scale), 0));
    }
    bound += (8 * largest * most * (0.5 + 2 ** -8)) / 32767;
  }
  return bound;
}

function check(tensor: Tensor, x: Float32Array, offset = 0): Float32Array {
  const { type, rows, cols, values } = tensor;
  const y = matvecTransposed(tensor, x, offset);
  const shape = { n: 1, rows: cols, cols: rows };
  const expected = referenceMatmul(transpose(values, rows, cols), x, shape);
  const bound = roundingBound(tensor, x);
  const what = `${type} ${rows}x${cols}`;
  // Each 8 rows (floats: each row) round a sum once: 1e-5 of the norm.
  assertWithin(y, expected.y, (i) => bound + 1e-5 * expected.norm[i], what);
  const rms = relativeRms(y, expected.y);
  assert.ok(!(rms > (isFloat(type) ? 2e-6 : 2e-4)), `${what}: ${rms}`);
  return y;
}

for (const type of [...QUANTIZED_TYPES, ...FLOAT_TYPES]) {
  const { blockSize } = TENSOR_TYPES[type];

  test(`matvecTransposed agrees with f64: ${type}`, () => {
    const random = seededRandom(60);
    for (const cols of [32, 64, 96, 256, 512, 2048, 8192]) {
      if (cols % blockSize !== 0) continue;
      for (const rows of [8, 16, 24, 128]) {
        if (rows * cols > 100000) continue;
        const tensor = randomTensor({ type, rows, cols }, random);
        check(tensor, gaussian(rows, random), 4 * Math.floor(random() * 4));
      }
    }
  });

  test(`zeros, subnormals, NaN and infinity: ${type}`, () => {
    const random = seededRandom(61);
    const tensor = randomTensor({ type, rows: 24, cols: 256 }, random);
    const x = gaussian(24, random);
    x.fill(0, 8, 16);
    x[17] = 0;
    check(tensor, x);
    assert.ok(matvecTransposed(tensor, new Float32Array(24)).every((value) => value === 0));
    const tiny = matvecTransposed(tensor, new Float32Array(24).fill(1e-41));
    assert.ok(tiny.every((value) => Math.abs(value) < 1e-33));
    for (const bad of [NaN, Infinity]) {
      x[3] = bad;
      const y = matvecTransposed(tensor, x);
      for (let c = 0; c < 256; c++) {
        const expected = tensor.values[3 * 256 + c] !== 0;
        if (expected) assert.not(Number.isFinite(y[c]), `${bad}, column ${c}`);
      }
    }
  });
}

test("matvecTransposed agrees with f64 for kv_b of PLM-1.8B", () => {
  const random = seededRandom(62);
  for (const type of ["Q8_0", "Q4_K", "F16"] as const) {
    check(randomTensor({ type, rows: 4096, cols: 512 }, random), gaussian(4096, random));
  }
});

test("integer sums of extremes do not overflow in matvecTransposed", () => {
  for (const weight of [127, -128]) {
    const bytes = new Uint8Array(64 * 34 * 2).fill(weight & 255);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 34) view.setUint16(at, 0x3c00, true);
    const tensor = tensorOf({ type: "Q8_0", rows: 64, cols: 64 }, bytes);
    for (const value of [32767, -32767]) {
      const x = new Float32Array(64).fill(value);
      const y = matvecTransposed(tensor, x);
      const expected = 64 * weight * value;
      assertWithin(y, new Array(64).fill(expected), () => Math.abs(expected) * 1e-6, "y");
    }
  }
});

test.run();
