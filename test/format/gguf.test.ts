/** Headers: the reference files, and the ways in which a header can be wrong. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ByteSource } from "../../src/format/byte-source.js";
import type { ByteWriter } from "../../src/format/byte-writer.js";
import { openGguf } from "../../src/format/gguf.js";
import { encodeGguf, type MetadataEntry, type TensorData } from "../../src/format/writer.js";
import { closeSources, openSources } from "../../src/sources/source.js";
import { seededRandom } from "../support/random.js";
import { open, refused } from "./support/open.js";
import { entry, raw } from "./support/raw.js";
import { sampleFile } from "./support/sample.js";
import { referenceFolder } from "./support/shared.js";

test("headers of all reference models", async () => {
  const folder = referenceFolder("headers of the reference models");
  if (folder === undefined) return;
  const names = readdirSync(folder).filter((name) => /^mini-.*\.gguf$/.test(name));
  assert.is(names.length, 13);
  for (const name of names) {
    const sources = await openSources(join(folder, name));
    const { metadata, tensors } = await openGguf(sources);
    assert.is(metadata.get("general.architecture"), "plm", name);
    assert.is(metadata.get("plm.block_count"), 3);
    assert.is(metadata.get("plm.attention.layer_norm_rms_epsilon"), Math.fround(1e-6));
    assert.is((metadata.get("tokenizer.ggml.tokens") as string[]).length, 288);
    assert.is((metadata.get("tokenizer.ggml.tokens") as string[])[264], "<|endoftext|>");
    assert.instance(metadata.get("tokenizer.ggml.token_type"), Int32Array);
    assert.is(tensors.size, 29);
    assert.equal(tensors.get("blk.2.attn_q.weight")!.shape, [384, 256]);
    const end = Math.max(...[...tensors.values()].map((t) => t.offset + t.byteLength));
    assert.is(Math.ceil(end / 32) * 32, sources[0].size, `${name}: the data ends with the file`);
    await closeSources(sources);
  }
});

test("version 2 reads as version 3 does", async () => {
  const file = sampleFile();
  file[4] = 2;
  const gguf = await open(file);
  assert.is(gguf.version, 2);
  assert.is(gguf.tensors.size, 12);
});

test("another format or version is refused by name", async () => {
  const text = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1");
  await refused(text, "INVALID_FILE", /not a GGUF file: it starts with "vers"/);
  await refused(new Uint8Array(0), "INVALID_FILE", /goes past byte 0/);
  await refused(raw([], [], { version: 1 }), "UNSUPPORTED_FILE", /version 1; expected 2 or 3/);
  await refused(raw([], [], { version: 4 }), "UNSUPPORTED_FILE", /version 4/);
  await refused(raw([], [], { version: 0x03000000 }), "UNSUPPORTED_FILE", /big-endian/);
});

test("counts and lengths beyond the file are refused", async () => {
  const huge = 2n ** 60n;
  await refused(raw([], [], { tensors: huge }), "INVALID_FILE", /1152921504606846976 tensors do/);
  await refused(raw([], [], { tensors: 200n }), "INVALID_FILE", /200 tensors do not fit/);
  await refused(raw([], [], { entries: huge }), "INVALID_FILE", /metadata keys do not fit/);
  const long = (out: ByteWriter): void => out.number("uint64", huge);
  await refused(raw([long]), "INVALID_FILE", /metadata key 1 of 1: .* bytes of text do not fit/);
  await refused(raw([entry("k", 8, long)]), "INVALID_FILE", /metadata "k": .* bytes of text/);
  for (const [itemType, items] of [
    [0, "numbers"],
    [12, "numbers"],
    [7, "booleans"],
    [8, "strings"],
    [9, "arrays"],
  ] as const) {
    for (const count of [huge, 2n ** 64n - 1n, 5000n]) {
      const value = (out: ByteWriter): void => {
        out.u32(itemType);
        out.number("uint64", count);
      };
      await refused(
        raw([entry("k", 9, value)]),
        "INVALID_FILE",
        new RegExp(`${count} ${items} do`),
      );
    }
  }
});

test("an endless stream is not read beyond what its header may need", async () => {
  const value = (out: ByteWriter): void => {
    out.u32(0);
    out.u64(64 << 20);
  };
  const start = raw([entry("k", 9, value)]);
  let bytesRead = 0;
  const endless: ByteSource = {
    name: "endless",
    size: undefined,
    sequential: true,
    async read(offset, target) {
      bytesRead += target.length;
      target.fill(0);
      target.set(start.subarray(offset, offset + target.length));
      return target.length;
    },
    async close() {},
  };
  const error = await openGguf([endless]).catch((thrown: unknown) => thrown);
  assert.match((error as Error).message, /metadata "k": 67108864 numbers do not fit/);
  assert.is(bytesRead, 1 << 20);
});

test("wrong value types and names are refused", async () => {
  const u32 = (value: number) => (out: ByteWriter) => out.u32(value);
  await refused(raw([entry("k", 13, u32(0))]), "INVALID_FILE", /value type 13; expected 0 to 12/);
  const twice = entry("k", 4, u32(1));
  await refused(raw([twice, twice]), "INVALID_FILE", /metadata "k": the key comes twice/);
  const notText = (out: ByteWriter): void => {
    out.number("uint64", 2);
    out.number("uint16", 0xffff);
    out.zeros(5);
  };
  await refused(raw([notText]), "INVALID_FILE", /is not UTF-8/);
  await refused(raw([entry("k".repeat(65536), 4, u32(0))]), "INVALID_FILE", /65536 bytes/);
});

test("any byte except 0 is true", async () => {
  const byte = (value: number) => (out: ByteWriter) => out.number("uint8", value);
  for (const value of [0, 1, 2, 255]) {
    const { metadata } = await open(raw([entry("k", 7, byte(value))]));
    assert.is(metadata.get("k"), value !== 0);
  }
  const list = (out: ByteWriter): void => {
    out.u32(7);
    out.u64(3);
    for (const value of [2, 0, 128]) byte(value)(out);
  };
  assert.equal((await open(raw([entry("k", 9, list)]))).metadata.get("k"), [true, false, true]);
});

test("short strings of any bytes read as a decoder reads them", async () => {
  const random = seededRandom(5);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // Bytes that begin, continue or break characters of one, two and more bytes.
  const some = [0x00, 0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xc4, 0xdf, 0xe0, 0xef, 0xf5, 0xff];
  const texts = Array.from({ length: 20_000 }, () =>
    Uint8Array.from({ length: Math.floor(random() * 20) }, () =>
      random() < 0.7 ? some[Math.floor(random() * some.length)] : Math.floor(random() * 256),
    ),
  );
  const strings = (out: ByteWriter): void => {
    out.u32(8);
    out.u64(texts.length);
    for (const text of texts) {
      out.u64(text.length);
      for (const byte of text) out.number("uint8", byte);
    }
  };
  const { metadata } = await open(raw([entry("k", 9, strings)]));
  const found = metadata.get("k") as string[];
  texts.forEach((text, i) => {
    assert.is(found[i], decoder.decode(text), String(text));
  });
});

test("a string value that is not UTF-8 reads with replacements", async () => {
  const value = (out: ByteWriter): void => {
    out.number("uint64", 3);
    for (const byte of [0x61, 0xff, 0x62]) out.number("uint8", byte);
  };
  const { metadata } = await open(raw([entry("k", 8, value)]));
  assert.is(metadata.get("k"), "a\ufffdb");
});

test("arrays nest 8 deep and no deeper", async () => {
  const nested = (depth: number): Uint8Array => {
    const value = (out: ByteWriter): void => {
      for (let i = 1; i < depth; i++) {
        out.u32(9);
        out.u64(1);
      }
      out.u32(0);
      out.u64(0);
    };
    return raw([entry("k", 9, value)]);
  };
  assert.is((await open(nested(8))).metadata.size, 1);
  await refused(nested(9), "INVALID_FILE", /nested over 8 deep/);
  await refused(nested(1000), "INVALID_FILE", /nested over 8 deep/);
});

test("arrays that would take many times their bytes in memory are refused", async () => {
  const empty = (out: ByteWriter): void => {
    out.u32(4);
    out.u64(0);
  };
  const arrays = (count: number) => (out: ByteWriter) => {
    out.u32(9);
    out.u64(count);
    for (let i = 0; i < count; i++) empty(out);
  };
  const most = 1 << 16;
  assert.is((await open(raw([entry("k", 9, arrays(most))]))).metadata.size, 1);
  const over = raw([entry("a", 9, arrays(most / 2)), entry("b", 9, arrays(most / 2 + 1))]);
  await refused(over, "UNSUPPORTED_FILE", /metadata "b": more than 65536 arrays in arrays/);
  const booleans = (out: ByteWriter): void => {
    out.u32(7);
    out.u64((1 << 20) + 1);
    for (let i = 0; i <= 1 << 18; i++) out.u32(0x01000100);
  };
  await refused(raw([entry("k", 9, booleans)]), "UNSUPPORTED_FILE", /more than 1048576 booleans/);
});

test("alignments that are not a power of two are refused", async () => {
  for (const value of [0, 3, 24, 2 ** 31]) {
    const file = raw([entry("general.alignment", 4, (out) => out.u32(value))]);
    await refused(file, "INVALID_FILE", /general\.alignment is \d+, not a power of two/);
  }
  const text = raw([entry("general.alignment", 8, (out) => out.string("32"))]);
  await refused(text, "INVALID_FILE", /general\.alignment is "32"/);
  for (const value of [1, 2, 4, 8, 64, 1024]) {
    const key = entry("general.alignment", 4, (out) => out.u32(value));
    const file = raw([key], [{ ne: [1], offset: value }]);
    const header = raw([key], [{ ne: [1], offset: value }]).length - 4096;
    const { offset } = (await open(file)).tensors.get("t")!;
    assert.is(offset, Math.ceil(header / value) * value + value, `${value}`);
    if (value === 1) continue;
    const misplaced = raw([key], [{ ne: [1], offset: value / 2 }]);
    await refused(misplaced, "INVALID_FILE", new RegExp(`is not a multiple of ${value}`));
  }
});

test("a file cut off anywhere in its header is refused", async () => {
  const file = sampleFile();
  const { tensors } = await open(file);
  const infos = [...tensors.values()];
  const end = Math.max(...infos.map((tensor) => tensor.offset + tensor.byteLength));
  const headerEnd = infos[0].offset;
  for (let length = 0; length <= headerEnd; length++) {
    await refused(file.subarray(0, length), "INVALID_FILE", /./);
  }
  const random = seededRandom(3);
  for (let i = 0; i < 200; i++) {
    const length = headerEnd + Math.floor(random() * (end - headerEnd));
    await refused(file.subarray(0, length), "INVALID_FILE", /but the file has/);
  }
  assert.is((await open(file.subarray(0, end))).tensors.size, 12);
});

test("a header longer than the first window", async () => {
  const tokens = Array.from({ length: 200_000 }, (_, i) => `token ${i} é`);
  const entries: MetadataEntry[] = [
    { key: "tokens", type: { array: "string" }, value: tokens },
    { key: "scores", type: { array: "float32" }, value: new Float32Array(500_000).fill(0.5) },
  ];
  const tensor: TensorData = {
    name: "t",
    type: "F32",
    shape: [1],
    data: Uint8Array.of(1, 2, 3, 4),
  };
  const { metadata, tensors, sources } = await open(encodeGguf(entries, [tensor]));
  const read = metadata.get("tokens") as string[];
  assert.ok(read.length === tokens.length && read.every((token, i) => token === tokens[i]));
  assert.is((metadata.get("scores") as Float32Array)[499_999], 0.5);
  const bytes = new Uint8Array(4);
  await sources[0].read(tensors.get("t")!.offset, bytes);
  assert.equal(bytes, Uint8Array.of(1, 2, 3, 4));
});

test("an aborted signal rejects with its reason", async () => {
  const reason = new Error("enough");
  const sources = await openSources(sampleFile());
  const error = await openGguf(sources, AbortSignal.abort(reason)).catch((thrown) => thrown);
  assert.is(error, reason);
});

test.run();
