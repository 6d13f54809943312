/** Whole files in memory, with their matrices converted to another type. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type ErrorCode, PlmError } from "../../src/errors.js";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import type { Gguf } from "../../src/format/gguf.js";
import { type QuantizedType, quantize } from "../../src/format/quantize.js";
import { requantize } from "../../src/format/requantize.js";
import { encodeGguf, type MetadataEntry, type TensorData } from "../../src/format/writer.js";
import { gaussian, seededRandom } from "../support/random.js";
import { referenceF16Bits, referenceQ8_0 } from "../support/reference.js";
import { dequantize } from "./support/dequantize.js";
import { open } from "./support/open.js";
import { SAMPLE_METADATA } from "./support/sample.js";

const random = seededRandom(21);

/** Normal values, stored as the type. */
function tensor(name: string, type: TensorType, ...shape: number[]): TensorData {
  const values = gaussian(
    shape.reduce((a, b) => a * b),
    random,
    0.05,
  );
  const bits = new Uint32Array(values.buffer);
  const data: Partial<Record<TensorType, () => ArrayBufferView>> = {
    F32: () => values,
    F16: () => Uint16Array.from(values, (value) => referenceF16Bits(value)),
    BF16: () => Uint16Array.from(bits, (word) => word >>> 16),
    Q8_0: () => referenceQ8_0(values),
  };
  const { buffer } = data[type]!();
  return { name, type, shape, data: new Uint8Array(buffer as ArrayBuffer) };
}

const TENSORS: TensorData[] = [
  tensor("norm", "F32", 64),
  tensor("half norm", "F16", 64),
  tensor("f32", "F32", 6, 64),
  tensor("f16", "F16", 3, 96),
  tensor("heads", "BF16", 2, 3, 32),
  tensor("q8", "Q8_0", 5, 64),
  tensor("ragged", "F32", 3, 40),
  // More than is read at once: many rows, and long rows.
  tensor("long", "F16", 33, 32768),
  // A vector with dimensions of 1.
  tensor("one row", "Q8_0", 1, 1 << 21),
  tensor("flat norm", "F32", 1, 1, 64),
];

async function collect(gguf: Gguf, type: QuantizedType): Promise<Uint8Array<ArrayBuffer>> {
  const { pieces, byteLength } = await requantize(gguf, type);
  const file = new Uint8Array(byteLength);
  let length = 0;
  for await (const piece of pieces) {
    file.set(piece, length);
    length += piece.length;
  }
  assert.is(length, byteLength);
  return file;
}

async function bytesOf(gguf: Gguf, name: string): Promise<Uint8Array> {
  const { file, offset, byteLength } = gguf.tensors.get(name)!;
  const bytes = new Uint8Array(byteLength);
  assert.is(await gguf.sources[file].read(offset, bytes), byteLength);
  return bytes;
}

/** Fails unless the tensors of a file are TENSORS with the matrices as `type`. */
async function checkTensors(gguf: Gguf, type: QuantizedType): Promise<void> {
  assert.equal(
    [...gguf.tensors.keys()],
    TENSORS.map(({ name }) => name),
  );
  for (const { name, type: before, shape, data } of TENSORS) {
    const isVector = shape.slice(0, -1).every((size) => size === 1);
    const isKept = isVector || name === "ragged" || before === type;
    const expected = isKept ? (data as Uint8Array) : blocksOf(type, before, data as Uint8Array);
    assert.is(gguf.tensors.get(name)!.type, isKept ? before : type, name);
    assert.equal(gguf.tensors.get(name)!.shape, shape);
    assert.is(Buffer.compare(await bytesOf(gguf, name), expected), 0, name);
  }
}

function blocksOf(type: QuantizedType, before: TensorType, data: Uint8Array): Uint8Array {
  const values = dequantize(before, data);
  const blocks = new Uint8Array((values.length / 32) * TENSOR_TYPES[type].blockBytes);
  assert.ok(quantize(type, values, blocks));
  return blocks;
}

/** The bytes of an entry in the file. */
function entryOf(file: Uint8Array, gguf: Gguf, key: string): Uint8Array {
  const { offset, byteLength } = gguf.metadataRanges.get(key)!;
  return file.subarray(offset, offset + byteLength);
}

async function refused(promise: Promise<unknown>, code: ErrorCode, line: RegExp): Promise<void> {
  const error = await promise.then(
    () => assert.unreachable("accepted"),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, PlmError);
  assert.is((error as PlmError).code, code);
  assert.match((error as PlmError).message, line);
}

test("matrices change; vectors, ragged rows and tensors of the type do not", async () => {
  const gguf = await open(encodeGguf([], TENSORS));
  for (const type of ["Q4_0", "Q8_0"] as const) {
    await checkTensors(await open(await collect(gguf, type)), type);
    const { changed, ragged } = await requantize(gguf, type);
    assert.equal(ragged, ["ragged"]);
    const matrices = ["f32", "f16", "heads", "q8", "long"];
    const already = ["q8"];
    assert.equal(
      changed,
      matrices.filter((name) => type === "Q4_0" || !already.includes(name)),
    );
  }
});

test("metadata keeps its order and bytes, including text that is not UTF-8", async () => {
  const fileType: MetadataEntry = { key: "general.file_type", type: "uint8", value: 0 };
  const text: MetadataEntry = { key: "text", type: "string", value: "???" };
  const [first, ...rest] = SAMPLE_METADATA;
  const file = encodeGguf([first, fileType, text, ...rest], [tensor("w", "F32", 3, 32)]);
  file.set([0xff, 0xc0, 0xaf], Buffer.from(file).indexOf("???"));
  const gguf = await open(file);
  const made = await collect(gguf, "Q4_0");
  const after = await open(made);
  assert.equal([...after.metadata.keys()], [...gguf.metadata.keys(), QUANTIZATION_VERSION]);
  for (const key of gguf.metadata.keys()) {
    if (key === "general.file_type") continue;
    assert.equal(entryOf(made, after, key), entryOf(file, gguf, key), key);
  }
  assert.is(after.metadata.get("general.file_type"), 2);
  assert.is(after.metadata.get(QUANTIZATION_VERSION), 2);
  assert.is(after.tensors.get("w")!.offset % 64, 0);
  assert.is((await open(await collect(gguf, "Q8_0"))).metadata.get("general.file_type"), 7);
});

const QUANTIZATION_VERSION = "general.quantization_version";

test("a file of the type already comes back byte by byte", async () => {
  const u32 = (key: string, value: number): MetadataEntry => ({ key, type: "uint32", value });
  const metadata = [u32("general.file_type", 7), ...SAMPLE_METADATA, u32(QUANTIZATION_VERSION, 2)];
  const file = encodeGguf(metadata, [tensor("w", "Q8_0", 5, 32), tensor("n", "F32", 5)]);
  assert.equal(await collect(await open(file), "Q8_0"), file);
});

test("a split file becomes one", async () => {
  const part = (no: number, tensors: TensorData[]): Uint8Array =>
    encodeGguf(
      [
        { key: "general.name", type: "string", value: `part ${no}` },
        { key: "split.no", type: "uint16", value: no },
        { key: "split.count", type: "uint16", value: 2 },
        { key: "split.tensors.count", type: "int32", value: TENSORS.length },
      ],
      tensors,
    );
  const gguf = await open(part(0, TENSORS.slice(0, 4)), part(1, TENSORS.slice(4)));
  const after = await open(await collect(gguf, "Q4_0"));
  await checkTensors(after, "Q4_0");
  assert.equal(
    [...after.metadata],
    [
      ["general.name", "part 0"],
      ["general.file_type", 2],
      [QUANTIZATION_VERSION, 2],
    ],
  );
});

test("other types, weights that are not finite and forward sources are refused", async () => {
  const data = new Uint8Array(210);
  const k: TensorData = { name: "k", type: "Q6_K", shape: [1, 256], data };
  const good = tensor("good", "F32", 1, 32);
  await refused(
    requantize(await open(encodeGguf([], [good, k])), "Q8_0"),
    "UNSUPPORTED_FILE",
    /tensor "k": expected one of F32, F16, BF16, Q8_0, got Q6_K$/,
  );
  for (const bad of [Number.NaN, Infinity, 1e30]) {
    const values = new Float32Array(64);
    values[50] = bad;
    const w: TensorData = {
      ...good,
      name: "w",
      shape: [2, 32],
      data: new Uint8Array(values.buffer),
    };
    const gguf = await open(encodeGguf([], [good, w]));
    await refused(collect(gguf, "Q4_0"), "INVALID_FILE", /tensor "w": expected finite weights/);
  }
  const gguf = await open(encodeGguf([], [good]));
  const forward = gguf.sources.map((source) => ({
    ...{ name: "pipe", size: source.size, sequential: true, close: () => source.close() },
    read: source.read.bind(source),
  }));
  await refused(requantize({ ...gguf, sources: forward }, "Q4_0"), "UNSUPPORTED_FILE", /pipe: /);
});

test("weights that the loader would refuse are refused, copied ones too", async () => {
  const floats = (bad: number): Uint8Array => new Uint8Array(Float32Array.of(1, bad, 1).buffer);
  const halves = (bad: number): Uint8Array => new Uint8Array(Uint16Array.of(0, bad, 0).buffer);
  const block = (scale: number): Uint8Array => {
    const bytes = new Uint8Array(2 * 34);
    new DataView(bytes.buffer).setUint16(34, scale, true);
    return bytes;
  };
  const large = new Float32Array(32).fill(128 * 127);
  const bad: [TensorType, number[], Uint8Array][] = [
    ["F32", [3], floats(Number.NaN)],
    ["F32", [3], floats(-Infinity)],
    ["F16", [3], halves(0x7c00)],
    ["F16", [3], halves(0xfe01)],
    ["BF16", [3], halves(0xff80)],
    ["Q8_0", [2, 32], block(referenceF16Bits(128))],
    ["Q8_0", [2, 32], block(referenceF16Bits(-128))],
    ["Q8_0", [2, 32], block(0x7e00)],
    ["F32", [1, 1, 3], floats(Number.NaN)],
    ["F32", [2, 32], new Uint8Array(Float32Array.of(...large, ...large).buffer)],
  ];
  for (const [type, shape, data] of bad) {
    const gguf = await open(encodeGguf([], [{ name: "w", type, shape, data }]));
    await refused(
      collect(gguf, "Q8_0"),
      "INVALID_FILE",
      /tensor "w": expected finite weights that/,
    );
  }
  const most = { name: "w", type: "Q8_0" as const, shape: [2, 32], data: block(0x57ff) };
  await collect(await open(encodeGguf([], [most])), "Q8_0");
});

test("a file that ends early is reported, and an abort ends the work with its reason", async () => {
  const gguf = await open(encodeGguf([], TENSORS));
  const [source] = gguf.sources;
  const short = { ...source, name: "short", read: async () => 3 };
  const { pieces } = await requantize(gguf, "Q4_0");
  gguf.sources[0] = { ...short, size: 1, sequential: false, close: async () => {} };
  await pieces.next();
  await refused(pieces.next(), "INVALID_FILE", /short: expected 256 bytes at \d+, got 3/);

  gguf.sources[0] = source;
  const controller = new AbortController();
  const stopped = await requantize(gguf, "Q4_0", controller.signal);
  await stopped.pieces.next();
  controller.abort("enough");
  assert.is(await stopped.pieces.next().catch((reason: unknown) => reason), "enough");
});

test("a copied tensor of many blocks is checked block by block", async () => {
  const count = 5 << 20;
  // Values that would be NaN if they were read as a scale; the scales are 2^-8.
  const data = new Uint8Array((count / 32) * 34).fill(0x7e);
  for (let at = 0; at < data.length; at += 34) data.set([0x00, 0x1c], at);
  const gguf = await open(
    encodeGguf([], [{ name: "w", type: "Q8_0", shape: [32, count / 32], data }]),
  );
  const copy = await open(await collect(gguf, "Q8_0"));
  assert.is(Buffer.compare(await bytesOf(copy, "w"), data), 0);
});

test.run();
