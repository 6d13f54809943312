import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TensorType } from "../../src/format/dtypes.js";
import { TENSOR_TYPES } from "../../src/format/dtypes.js";
import { dequantize } from "./dequantize.js";

interface Sample {
  bytes: string;
  f32: string;
}

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
});

test.run();
