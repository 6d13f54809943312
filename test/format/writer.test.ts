/** Written files read back unchanged; what cannot be written is refused. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type ErrorCode, PlmError } from "../../src/errors.js";
import { openGguf } from "../../src/format/gguf.js";
import type { MetadataType } from "../../src/format/metadata.js";
import { encodeGguf, type MetadataEntry, writeGguf } from "../../src/format/writer.js";
import { openSources } from "../../src/sources/source.js";
import { SAMPLE_METADATA, sampleFile, sampleTensors } from "./support/sample.js";

function isInvalid(error: unknown): boolean {
  const code: ErrorCode = "INVALID_ARGUMENT";
  return error instanceof PlmError && error.code === code;
}

test("metadata of every type and tensors read back unchanged", async () => {
  const gguf = await openGguf(await openSources(sampleFile()));
  assert.is(gguf.version, 3);
  assert.equal(
    [...gguf.metadata.keys()],
    SAMPLE_METADATA.map(({ key }) => key),
  );
  for (const { key, value } of SAMPLE_METADATA) assert.equal(gguf.metadata.get(key), value, key);

  const tensors = sampleTensors();
  assert.equal(
    [...gguf.tensors.keys()],
    tensors.map(({ name }) => name),
  );
  for (const { name, type, shape, data } of tensors) {
    const info = gguf.tensors.get(name)!;
    assert.is(info.type, type);
    assert.equal(info.shape, shape);
    assert.is(info.offset % 64, 0);
    const bytes = new Uint8Array(info.byteLength);
    assert.is(await gguf.sources[info.file].read(info.offset, bytes), bytes.length);
    assert.equal(bytes, data, name);
  }
});

test("an unaligned field is found where the format puts it", () => {
  const file = encodeGguf([{ key: "k", type: "uint16", value: 0x1234 }], []);
  const expected = [
    ..."GGUF".split("").map((c) => c.charCodeAt(0)),
    ...[3, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, 0],
    ...[1, 0, 0, 0, 0, 0, 0, 0],
    ...[1, 0, 0, 0, 0, 0, 0, 0],
    "k".charCodeAt(0),
    ...[2, 0, 0, 0],
    ...[0x34, 0x12],
  ];
  assert.equal([...file.subarray(0, expected.length)], expected);
  assert.is(file.length, 64);
});

test("data may be made when it is written", () => {
  const calls: string[] = [];
  const make = (name: string) => () => {
    calls.push(name);
    return new Uint8Array(4);
  };
  const pieces = writeGguf(
    [],
    ["a", "b"].map((name) => ({ name, type: "F32", shape: [1], data: make(name) })),
  );
  pieces.next();
  assert.equal(calls, []);
  pieces.next();
  assert.equal(calls, ["a"]);
  assert.is([...pieces].length, 3);
  assert.equal(calls, ["a", "b"]);
});

test("values that their type cannot hold are refused", () => {
  const cases: [MetadataType, MetadataEntry["value"]][] = [
    ["uint8", 256],
    ["uint8", -1],
    ["int8", -129],
    ["uint32", 2 ** 32],
    ["int32", 1.5],
    ["uint64", 2n ** 64n],
    ["uint64", 2 ** 60],
    ["int64", 2n ** 63n],
    ["float32", "1"],
    ["bool", 1],
    ["string", 1],
    [{ array: "string" }, "text"],
    [{ array: "uint8" }, [1, 256]],
    ["uint8", [1]],
  ];
  for (const [type, value] of cases) {
    const what = `${JSON.stringify(type)} ${value}`;
    assert.throws(() => encodeGguf([{ key: "k", type, value }], []), isInvalid, what);
  }
});

test("tensors that do not fit together are refused", () => {
  const data = new Uint8Array(8);
  const good = { name: "a", type: "F32" as const, shape: [2], data };
  assert.ok(encodeGguf([], [good]).length > 0);
  for (const bad of [
    [good, good],
    [{ ...good, shape: [3] }],
    [{ ...good, shape: [] }],
    [{ ...good, shape: [0] }],
    [{ ...good, shape: [1, 1, 1, 1, 2] }],
    [{ ...good, type: "Q8_0" as const }],
  ]) {
    assert.throws(() => encodeGguf([], bad), isInvalid);
  }
  const alignment = { key: "general.alignment", type: "uint32" as const, value: 24 };
  assert.throws(() => encodeGguf([alignment], []), isInvalid);
});

test.run();
