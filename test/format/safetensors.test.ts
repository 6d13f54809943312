/** Headers of safetensors files. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readSafetensors, type SafetensorsTensor } from "../../src/format/safetensors.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { encodeSafetensors, withHeader } from "../checkpoint/support/safetensors.js";
import { assertRejects } from "../model/support/engine.js";

type Entry = [dtype: string, shape: unknown, offsets: unknown];

const read = (file: Uint8Array): Promise<Map<string, SafetensorsTensor>> =>
  readSafetensors(new BytesSource(file));

/** A file with these entries and so many bytes of data. */
function fileOf(entries: Record<string, Entry>, bytes: number): Uint8Array {
  const named = Object.entries(entries).map(([name, [dtype, shape, data_offsets]]) => {
    return [name, { dtype, shape, data_offsets }];
  });
  return withHeader(JSON.stringify(Object.fromEntries(named)), [new Uint8Array(bytes)]);
}

test("tensors in any order, empty ones, scalars, metadata", async () => {
  const file = fileOf(
    {
      second: ["F16", [2, 3], [4, 16]],
      none: ["F32", [0, 7], [4, 4]],
      first: ["F32", [], [0, 4]],
    },
    16,
  );
  const tensors = await read(file);
  const start = file.length - 16;
  assert.equal([...tensors.keys()], ["second", "none", "first"]);
  assert.equal(tensors.get("second"), {
    ...{ dtype: "F16", shape: [2, 3] },
    ...{ offset: start + 4, byteLength: 12 },
  });
  assert.is(tensors.get("first")!.byteLength, 4);
  const data = new Uint8Array(2);
  const written = await read(encodeSafetensors([{ name: "a", dtype: "U8", shape: [2], data }]));
  assert.equal([...written.keys()], ["a"], "__metadata__ is no tensor");
});

test("damage is named", async () => {
  const cases: [file: Uint8Array, ...parts: string[]][] = [
    [new Uint8Array(4), "8 bytes of header"],
    [withHeader("{"), "JSON"],
    [withHeader("[]"), "an object", "an array"],
    [withHeader('{"a": 1}'), '"a"', "an object"],
    [withHeader('{"__metadata__": {"a": 1}}'), "__metadata__", "texts"],
    [fileOf({ a: ["F31", [1], [0, 4]] }, 4), '"a"', "dtype", "F31"],
    [fileOf({ a: ["toString", [1], [0, 4]] }, 4), "dtype"],
    [fileOf({ a: ["F32", [1.5], [0, 4]] }, 4), "shape", "1.5"],
    [fileOf({ a: ["F32", [-1], [0, 4]] }, 4), "shape", "-1"],
    [fileOf({ a: ["F32", [2 ** 52, 2 ** 52], [0, 4]] }, 4), "data_offsets", "bytes"],
    [fileOf({ a: ["F32", [1], [4, 0]] }, 4), "data_offsets"],
    [fileOf({ a: ["F32", [1], [0]] }, 4), "data_offsets"],
    [fileOf({ a: ["F32", [2], [0, 4]] }, 4), "8 bytes for [2] of F32"],
    [fileOf({ a: ["F32", [1], [0, 4]], b: ["F32", [1], [2, 6]] }, 6), '"b"', "follow"],
    [fileOf({ a: ["F32", [1], [0, 4]], b: ["F32", [1], [8, 12]] }, 12), '"b"', "follow"],
    [fileOf({ a: ["F32", [1], [4, 8]] }, 8), '"a"', "follow"],
    [fileOf({ a: ["F32", [2], [0, 8]] }, 4), "bytes, where the last tensor ends"],
    [fileOf({ a: ["F32", [1], [0, 4]] }, 8), "bytes, where the last tensor ends"],
  ];
  for (const [file, ...parts] of cases) await assertRejects(read(file), "INVALID_FILE", ...parts);
});

test("a name that comes twice, however it is written", async () => {
  const entry = '{"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}';
  const twice = (one: string, two: string): Uint8Array =>
    withHeader(`{"${one}": ${entry},\n"${two}" : ${entry}}`);
  await assertRejects(read(twice("a", "a")), "INVALID_FILE", '"a" twice');
  await assertRejects(read(twice('a\\\\\\"', '\\u0061\\\\\\"')), "INVALID_FILE", "twice");
  assert.is((await read(twice("a", "shape"))).size, 2, "keys within a tensor do not count");
});

test("a header that is too long is not read", async () => {
  const long = new Uint8Array(32 << 20);
  new DataView(long.buffer).setBigUint64(0, 17n << 20n, true);
  await assertRejects(read(long), "UNSUPPORTED_FILE", "16777216");
  for (const length of [25n, 2n ** 63n, 2n ** 64n - 1n]) {
    const short = new Uint8Array(32);
    new DataView(short.buffer).setBigUint64(0, length, true);
    await assertRejects(read(short), "INVALID_FILE", "at most 24 bytes");
  }
});

test.run();
