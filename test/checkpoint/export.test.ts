/** A folder that was exported is read as the file that it came from. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type ExportOptions, exportCheckpoint } from "../../src/checkpoint/export.js";
import { planModel } from "../../src/engine/plan.js";
import type { TensorType } from "../../src/format/dtypes.js";
import { type Gguf, openGguf } from "../../src/format/gguf.js";
import { Tokenizer } from "../../src/index.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { dequantize } from "../format/support/dequantize.js";
import { assertThrows } from "../model/support/engine.js";
import { readReference } from "../model/support/reference-files.js";
import { K_DIMS, tinyModel } from "../model/support/tiny.js";
import type { Files } from "./support/checkpoint.js";
import { bytesOf, openFiles, tensorBytesOf } from "./support/open.js";

const opened = (file: Uint8Array): Promise<Gguf> => openGguf([new BytesSource(file)]);

async function exported(gguf: Gguf, options?: ExportOptions): Promise<Files> {
  const { files, byteLength } = exportCheckpoint(gguf, options);
  const result: Files = new Map();
  let bytes = 0;
  for (const { name, pieces } of files) {
    const parts: Uint8Array[] = [];
    for await (const piece of pieces) parts.push(piece.slice());
    result.set(name, new Uint8Array(Buffer.concat(parts)));
    bytes += result.get(name)!.length;
  }
  assert.is(bytes, byteLength, "byteLength");
  return result;
}

/** Fails unless the second has the tensors and all metadata of the first. */
async function assertKept(before: Gguf, after: Gguf): Promise<void> {
  assert.equal(new Set(after.tensors.keys()), new Set(before.tensors.keys()));
  for (const [name, { type }] of before.tensors) {
    assert.is(after.tensors.get(name)!.type, type);
    const [one, two] = [await tensorBytesOf(before, name), await tensorBytesOf(after, name)];
    assert.ok(Buffer.compare(one, two) === 0, name);
  }
  for (const [key, value] of before.metadata) assert.equal(after.metadata.get(key), value, key);
}

test("F32, F16 and BF16 come back bit for bit, and so does the metadata", async () => {
  const template = "{{ messages[0]['content'] }}é";
  const files = (["F32", "F16", "BF16"] as const).map((type) =>
    tinyModel({ type, tied: type === "F32", chatTemplate: template }),
  );
  for (const name of ["mini-f32", "mini-f16", "mini-bf16"]) {
    files.push(new Uint8Array(readReference(name)?.file ?? files[0]));
  }
  for (const file of files) {
    const before = await opened(file);
    for (const tokenizer of ["json", "vocab"] as const) {
      const after = await openFiles(await exported(before, { tokenizer }));
      await assertKept(before, after);
      // What came from a folder returns as the same file.
      const bytes = await bytesOf(after);
      const again = await bytesOf(await openFiles(await exported(await opened(bytes))));
      assert.ok(Buffer.compare(again, bytes) === 0);
    }
  }
});

test("quantised tensors become floats", async () => {
  const types: TensorType[] = ["Q8_0", "Q4_0", "Q5_1", "Q2_K", "Q4_K", "Q6_K"];
  for (const type of types) {
    const before = await opened(tinyModel({ dims: K_DIMS, type }));
    const after = await openFiles(await exported(before));
    const name = "blk.1.ffn_down.weight";
    const expected = dequantize(type, await tensorBytesOf(before, name));
    const found = new Float32Array((await tensorBytesOf(after, name)).buffer);
    assert.ok(Buffer.compare(Buffer.from(found.buffer), Buffer.from(expected.buffer)) === 0, type);
    for (const dtype of ["f16", "bf16"] as const) {
      const narrow = await openFiles(await exported(before, { dtype }));
      assert.is(narrow.tensors.get(name)!.type, dtype.toUpperCase());
      assert.is(narrow.tensors.get("output_norm.weight")!.type, "F32");
      const values = dequantize(narrow.tensors.get(name)!.type, await tensorBytesOf(narrow, name));
      // Half a unit in the last place, and half a step of f16's subnormals.
      const [unit, least] = dtype === "f16" ? [2 ** -11, 2 ** -25] : [2 ** -8, 0];
      const isNear = values.every((value, i) => {
        return Math.abs(value - expected[i]) <= Math.abs(expected[i]) * unit + least;
      });
      assert.ok(isNear, `${type} as ${dtype}`);
    }
  }
});

test("end tokens, kinds of tokens, templates and rope scaling return", async () => {
  const file = tinyModel({ chatTemplate: "a" }, ({ metadata }) => {
    const set = (key: string, type: "uint32" | "float32" | "string" | "bool", value: never): void =>
      void metadata.set(key, { key, type, value });
    const named = "tokenizer.chat_template.rag";
    metadata.set(named, { key: named, type: "string", value: "b" });
    const names = "tokenizer.chat_templates";
    metadata.set(names, { key: names, type: { array: "string" }, value: ["rag"] });
    const ends = "tokenizer.ggml.eos_token_ids";
    metadata.set(ends, { key: ends, type: { array: "int32" }, value: Int32Array.of(256, 258) });
    set("tokenizer.ggml.bos_token_id", "uint32", 257 as never);
    set("tokenizer.ggml.eot_token_id", "uint32", 258 as never);
    set("tokenizer.ggml.padding_token_id", "uint32", 256 as never);
    set("tokenizer.ggml.add_bos_token", "bool", true as never);
    set("plm.rope.scaling.type", "string", "yarn" as never);
    set("plm.rope.scaling.factor", "float32", 4 as never);
    set("plm.rope.scaling.original_context_length", "uint32", 32 as never);
    const types = metadata.get("tokenizer.ggml.token_type")!.value as Int32Array;
    types[257] = 4;
  });
  const before = await opened(file);
  const after = await openFiles(await exported(before));
  await assertKept(before, after);
  const config = planModel(before, { threads: 1 }).config;
  const { ropeScaling } = planModel(after, { threads: 1 }).config;
  assert.is(ropeScaling?.ropeType, "yarn");
  assert.is(ropeScaling?.originalMaxPositionEmbeddings, 32);
  const difference = ropeScaling!.attentionFactor - config.ropeScaling!.attentionFactor;
  assert.ok(Math.abs(difference) < 1e-6);
  const [one, two] = [before, after].map(({ metadata }) => Tokenizer.fromMetadata(metadata));
  assert.equal([...two.eosTokenIds], [...one.eosTokenIds]);
});

test("what a folder cannot say is refused", async () => {
  const split = await opened(tinyModel({ splitKvB: true }));
  assertThrows(() => exportCheckpoint(split), "UNSUPPORTED_FILE", "attn_k_b");
  const twice = await opened(
    tinyModel({}, ({ metadata }) => {
      (metadata.get("tokenizer.ggml.tokens")!.value as string[])[1] = "!";
    }),
  );
  assertThrows(() => exportCheckpoint(twice), "UNSUPPORTED_FILE", '"!" twice');
  const sound = await opened(tinyModel());
  const dtype = "f64" as "f32";
  assertThrows(() => exportCheckpoint(sound, { dtype }), "INVALID_ARGUMENT", "dtype");
  const tokenizer = "bin" as "json";
  assertThrows(() => exportCheckpoint(sound, { tokenizer }), "INVALID_ARGUMENT", "tokenizer");
});

test.run();
