/** Files that are split into parts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PlmError } from "../../src/errors.js";
import { type Gguf, openGguf } from "../../src/format/gguf.js";
import { encodeGguf, type MetadataEntry, type TensorData } from "../../src/format/writer.js";
import { closeSources, openSources } from "../../src/sources/source.js";
import { open, refused } from "./support/open.js";
import { sampleFile, sampleTensors } from "./support/sample.js";

/** Splits the sample's tensors over two files, the metadata in the first. */
function splitSample(change: Partial<Record<string, number>> = {}): Uint8Array[] {
  const tensors = sampleTensors();
  const keys = (no: number, extra: MetadataEntry[]): MetadataEntry[] => [
    ...extra,
    { key: "split.no", type: "uint16", value: change[`no${no}`] ?? no },
    { key: "split.count", type: "uint16", value: change.count ?? 2 },
    { key: "split.tensors.count", type: "int32", value: change.tensors ?? tensors.length },
  ];
  const name: MetadataEntry = { key: "general.name", type: "string", value: "in two parts" };
  return [
    encodeGguf(keys(0, [name]), tensors.slice(0, 5)),
    encodeGguf(keys(1, []), tensors.slice(5)),
  ];
}

async function checkSplit(gguf: Gguf): Promise<void> {
  assert.is(gguf.metadata.get("general.name"), "in two parts");
  for (const [i, { name, data }] of sampleTensors().entries()) {
    const info = gguf.tensors.get(name)!;
    assert.is(info.file, i < 5 ? 0 : 1);
    const bytes = new Uint8Array(info.byteLength);
    await gguf.sources[info.file].read(info.offset, bytes);
    assert.equal(bytes, data, name);
  }
}

test("a split file, its parts in a list", async () => {
  await checkSplit(await open(...splitSample()));
});

test("a split file by the path of any part", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plm-split-"));
  try {
    const paths = [1, 2].map((part) => join(folder, `m-0000${part}-of-00002.gguf`));
    for (const [i, file] of splitSample().entries()) writeFileSync(paths[i], file);
    for (const path of paths) {
      const sources = await openSources(path);
      assert.equal(
        sources.map((source) => source.name),
        paths,
      );
      await checkSplit(await openGguf(sources));
      await closeSources(sources);
    }
    rmSync(paths[0]);
    const error = await openSources(paths[1]).catch((thrown: unknown) => thrown);
    assert.is((error as PlmError).code, "UNREADABLE_FILE");
    assert.match((error as PlmError).message, paths[0]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("only the first part must have the number of parts", async () => {
  const count = (no: number, keys: Record<string, number>): Uint8Array => {
    const tensor = { name: `t${no}`, type: "F32" as const, shape: [1], data: new Uint8Array(4) };
    const entries = Object.entries({ "split.no": no, ...keys });
    const type = "uint16" as const;
    return encodeGguf(
      entries.map(([key, value]) => ({ key, type, value })),
      [tensor],
    );
  };
  const first = count(0, { "split.count": 2 });
  assert.is((await open(first, count(1, {}))).tensors.size, 2);
  await refused([first, count(1, { "split.count": 3 })], "INVALID_FILE", /part of 3/);
  await refused([count(0, {}), count(1, {})], "INVALID_FILE", /part of 1 \(split\.count\), but 2/);
});

test("in a whole file the split keys are ignored", async () => {
  for (const count of [0, 1, undefined]) {
    const keys: MetadataEntry[] = [
      { key: "split.no", type: "uint16", value: 3 },
      { key: "split.tensors.count", type: "int32", value: 999 },
    ];
    if (count !== undefined) keys.push({ key: "split.count", type: "uint16", value: count });
    assert.is((await open(encodeGguf(keys, sampleTensors()))).tensors.size, 12);
  }
});

test("parts that do not belong together are refused", async () => {
  const [first, second] = splitSample();
  await refused(first, "INVALID_FILE", /part of 2 \(split\.count\), but 1 given/);
  await refused([second, first], "INVALID_FILE", /given as part 1, but it is part 2/);
  await refused([first, first], "INVALID_FILE", /given as part 2, but it is part 1/);
  await refused(splitSample({ count: 3 }), "INVALID_FILE", /part of 3/);
  await refused(splitSample({ tensors: 13 }), "INVALID_FILE", /13, but all parts have 12/);
  await refused([sampleFile(), sampleFile()], "INVALID_FILE", /part of 1/);
  const part = (no: number): Uint8Array => {
    const tensor: TensorData = { name: "t", type: "F32", shape: [1], data: new Uint8Array(4) };
    const keys = [
      { key: "split.no", type: "uint16" as const, value: no },
      { key: "split.count", type: "uint16" as const, value: 2 },
    ];
    return encodeGguf(keys, [tensor]);
  };
  await refused([part(0), part(1)], "INVALID_FILE", /"t" is in an earlier part/);
});

test.run();
