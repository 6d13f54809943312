/** A small valid file: 21 metadata keys of all types, 12 tensors of several types. */

import type { TensorType } from "../../../src/format/dtypes.js";
import { TENSOR_TYPES } from "../../../src/format/dtypes.js";
import type { MetadataEntry, TensorData } from "../../../src/format/writer.js";
import { encodeGguf } from "../../../src/format/writer.js";
import { seededRandom } from "../../support/random.js";

/** One entry of every type that GGUF has, with extreme values, and arrays of them. */
export const SAMPLE_METADATA: MetadataEntry[] = [
  { key: "general.architecture", type: "string", value: "plm" },
  { key: "general.alignment", type: "uint32", value: 64 },
  { key: "a.uint8", type: "uint8", value: 255 },
  { key: "a.int8", type: "int8", value: -128 },
  { key: "a.uint16", type: "uint16", value: 65535 },
  { key: "a.int16", type: "int16", value: -32768 },
  { key: "a.uint32", type: "uint32", value: 4294967295 },
  { key: "a.int32", type: "int32", value: -2147483648 },
  { key: "a.float32", type: "float32", value: Math.fround(1e-6) },
  { key: "a.bool", type: "bool", value: true },
  { key: "a.string", type: "string", value: "\ufeffCafé — κόσμος 🚀\0" },
  { key: "a.uint64", type: "uint64", value: 2n ** 64n - 1n },
  { key: "a.int64", type: "int64", value: -(2n ** 63n) },
  { key: "a.small.int64", type: "int64", value: -5 },
  { key: "a.float64", type: "float64", value: Number.MIN_VALUE },
  { key: "b.tokens", type: { array: "string" }, value: ["a", "Ġb", "", "x".repeat(300)] },
  { key: "b.types", type: { array: "int32" }, value: Int32Array.of(1, -2, 3, 2147483647) },
  { key: "b.bools", type: { array: "bool" }, value: [true, false, true] },
  { key: "b.counts", type: { array: "uint64" }, value: BigUint64Array.of(0n, 2n ** 64n - 1n) },
  { key: "b.empty", type: { array: "float64" }, value: new Float64Array(0) },
  {
    key: "b.nested",
    type: { array: { array: "uint16" } },
    value: [Uint16Array.of(1, 2), new Uint16Array(0), Uint16Array.of(65535)],
  },
];

const TYPES: TensorType[] = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1"];

/** Twelve tensors with seeded bytes: each of six types as a matrix and as a row. */
export function sampleTensors(): TensorData[] {
  const random = seededRandom(7);
  return Array.from({ length: 12 }, (_, i) => {
    const type = TYPES[i % TYPES.length];
    const shape = i < TYPES.length ? [3, 64] : [32];
    const { blockSize, blockBytes } = TENSOR_TYPES[type];
    const length = (shape.reduce((a, b) => a * b) / blockSize) * blockBytes;
    const data = Uint8Array.from({ length }, () => random() * 256);
    return { name: `blk.${i}.weight`, type, shape, data };
  });
}

/** The file of both. */
export function sampleFile(): Uint8Array<ArrayBuffer> {
  return encodeGguf(SAMPLE_METADATA, sampleTensors());
}
