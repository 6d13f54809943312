/** The tensor-value oracle against reference rows of every type, bit for bit. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { dequantizeAny } from "../../src/format/dequantize-blocks.js";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { seededRandom } from "../support/random.js";
import { dequantize, f16ToNumber } from "./support/dequantize.js";
import { referenceFolder } from "./support/shared.js";

interface Rows {
  rows: number;
  cols: number;
  bytes: string;
  f32: string;
}

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

test("the package's own values of every type are those of the oracle, bit for bit", () => {
  const random = seededRandom(5);
  for (const type of Object.keys(TENSOR_TYPES) as TensorType[]) {
    const { blockSize, blockBytes } = TENSOR_TYPES[type];
    const blocks = Math.ceil(512 / blockSize);
    const bytes = Uint8Array.from({ length: blocks * blockBytes }, () => random() * 256);
    // Scales of 2^-8 and more are as good as any; infinities and NaN are refused elsewhere.
    for (let i = 1; i < bytes.length; i += 2) bytes[i] &= 0xbb;
    const values = new Float32Array(blocks * blockSize);
    dequantizeAny(type, bytes, values);
    const expected = Buffer.from(dequantize(type, bytes).buffer);
    assert.ok(expected.equals(Buffer.from(values.buffer)), `${type}: values differ`);
  }
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
});

test.run();
