<<<<<<< HEAD
import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TensorType } from "../../src/format/dtypes.js";
import { TENSOR_TYPES } from "../../src/format/dtypes.js";
import { dequantize } from "./dequantize.js";

interface Sample {
=======
/** The oracle of tensor values against reference rows of every type, bit for bit. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { dequantize, f16ToNumber } from "./dequantize.js";
import { referenceFolder } from "./shared.js";

interface Rows {
  rows: number;
  cols: number;
>>>>>>> main
  bytes: string;
  f32: string;
}

<<<<<<< HEAD
const PATH = "../shared/reference/quants.json";

test("every type gives the reference's floats", () => {
  if (!existsSync(PATH)) return console.log(`skipped: no ${PATH}`);
  const samples: Record<string, Sample> = JSON.parse(readFileSync(PATH, "utf8"));
  const types = Object.keys(TENSOR_TYPES).filter((type) => type !== "F32") as TensorType[];
  assert.equal(Object.keys(samples).sort(), [...types].sort());
  for (const type of types) {
    const expected = new Uint8Array(Buffer.from(samples[type].f32, "base64"));
    const actual = dequantize(type, new Uint8Array(Buffer.from(samples[type].bytes, "base64")));
    assert.equal(Array.from(actual), Array.from(new Float32Array(expected.buffer)), type);
  }
});

test("F32 is itself", () => {
  const values = Float32Array.of(0, -1.5, 3.4028234663852886e38, 1e-45);
  assert.equal(dequantize("F32", new Uint8Array(values.buffer)), values);
=======
test("f16 values: zeros, subnormals, ones, extremes", () => {
  assert.is(Object.is(f16ToNumber(0x8000), -0), true);
  assert.is(f16ToNumber(0x0001), 2 ** -24);
  assert.is(f16ToNumber(0x03ff), 1023 * 2 ** -24);
  assert.is(f16ToNumber(0x0400), 2 ** -14);
  assert.is(f16ToNumber(0x3c00), 1);
  assert.is(f16ToNumber(0xfbff), -65504);
  assert.is(f16ToNumber(0x7c00), Number.POSITIVE_INFINITY);
  assert.is(Number.isNaN(f16ToNumber(0x7c01)), true);
});

test("BF16 is the upper half of an f32", () => {
  assert.equal(dequantize("BF16", Uint8Array.of(0x80, 0x3f, 0x20, 0xc1)), Float32Array.of(1, -10));
});

test("reference rows of every type, bit for bit", () => {
  const folder = referenceFolder("reference rows of every tensor type");
  if (folder === undefined) return;
  const rows: Record<string, Rows> = JSON.parse(readFileSync(join(folder, "quants.json"), "utf8"));
  for (const [type, row] of Object.entries(rows)) {
    const { blockSize, blockBytes } = TENSOR_TYPES[type as TensorType];
    const bytes = new Uint8Array(Buffer.from(row.bytes, "base64"));
    assert.is(bytes.length, ((row.rows * row.cols) / blockSize) * blockBytes, `${type}: bytes`);
    const actual = Buffer.from(dequantize(type as TensorType, bytes).buffer).toString("base64");
    assert.ok(actual === row.f32, `${type}: values differ`);
  }
  const missing = Object.keys(TENSOR_TYPES).filter((type) => type !== "F32" && !(type in rows));
  assert.equal(missing, []);
>>>>>>> main
});

test.run();
