/** A folder has the logits of the GGUF file that it was made from, bit for bit. */
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openCheckpoint } from "../../src/checkpoint/open-model.js";
import { openGguf } from "../../src/format/gguf.js";
import { requantize } from "../../src/format/requantize.js";
import { type LoadModelOptions, loadModel, type ModelSource } from "../../src/index.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { openSources } from "../../src/sources/source.js";
import { readReference } from "../model/support/reference-files.js";
import { tinyModel } from "../model/support/tiny.js";
import { type CheckpointOptions, type Files, makeCheckpoint } from "./support/checkpoint.js";
import { asFileList, bytesOf, openFiles, tensorBytesOf, withFolder } from "./support/open.js";

/** The bits of all tokens' logits on one thread, with kernels that no timing chooses. */
async function logitsOf(
  source: ModelSource,
  tokens: readonly number[],
  options: LoadModelOptions = {},
): Promise<string> {
  const fixed = { threads: 1, variant: "simd", attention: "absorbed" } as const;
  const model = await loadModel(source, { ...fixed, ...options });
  const session = model.createSession();
  const logits = await session.evaluate(tokens, { logits: "all" });
  model.dispose();
  return createHash("sha256").update(logits).digest("hex");
}

const FORMS: readonly CheckpointOptions[] = [
  {},
  { interleaved: false, shards: 3, tokenizer: "vocab" },
];

/** The file with quantised matrices, as `plm quantize` writes it. */
async function quantized(file: Uint8Array, type: "Q8_0" | "Q4_0"): Promise<Uint8Array> {
  const { pieces } = await requantize(await openGguf([new BytesSource(file)]), type);
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece.slice());
  return new Uint8Array(Buffer.concat(parts));
}

test("folders of the reference models have their logits", async () => {
  for (const name of ["mini-f32", "mini-f16", "mini-bf16"]) {
    const reference = readReference(name);
    if (reference === undefined) return;
    const { file, tokens } = reference;
    const expected = await logitsOf(file, tokens);
    for (const form of FORMS) {
      const files = await makeCheckpoint(file, form);
      assert.is(await logitsOf(asFileList(files), tokens), expected, name);
    }
  }
});

test("quantised while it is read, a folder has the logits of plm quantize's file", async () => {
  const reference = readReference("mini-bf16");
  if (reference === undefined) return;
  const { file, tokens } = reference;
  for (const [quantize, type] of [["q8_0", "Q8_0"] as const, ["q4_0", "Q4_0"] as const]) {
    const expected = await logitsOf(await quantized(file, type), tokens);
    for (const form of FORMS) {
      const files = asFileList(await makeCheckpoint(file, form));
      assert.is(await logitsOf(files, tokens, { quantize }), expected, quantize);
    }
  }
});

test("tensors and metadata are those of the file", async () => {
  for (const type of ["F32", "F16", "BF16"] as const) {
    const file = tinyModel({ type, tied: type !== "F16" });
    const before = await openGguf([new BytesSource(file)]);
    for (const form of FORMS) {
      const after = await openFiles(await makeCheckpoint(file, form));
      assert.equal(new Set(after.tensors.keys()), new Set(before.tensors.keys()));
      for (const [name, tensor] of before.tensors) {
        assert.is(after.tensors.get(name)!.type, tensor.type, name);
        assert.equal(await tensorBytesOf(after, name), await tensorBytesOf(before, name), name);
      }
      for (const [key, value] of before.metadata) assert.equal(after.metadata.get(key), value, key);
      assert.is(after.metadata.get("general.file_type"), { F32: 0, F16: 1, BF16: 32 }[type]);
    }
  }
});

test("any read has the bytes of a read from the start", async () => {
  const files = await makeCheckpoint(tinyModel({ type: "BF16" }), { interleaved: false });
  const gguf = await openFiles(files, "q8_0");
  const bytes = await bytesOf(gguf);
  const [source] = gguf.sources;
  for (let offset = 0; offset < bytes.length; offset += 977) {
    const target = new Uint8Array(1 + ((offset * 31) % 5000));
    const read = await source.read(offset, target);
    assert.is(read, Math.min(target.length, bytes.length - offset));
    assert.equal(target.subarray(0, read), bytes.subarray(offset, offset + read));
  }
  assert.is(await source.read(bytes.length, new Uint8Array(10)), 0);
  const reopened = await openGguf([new BytesSource(bytes)]);
  assert.equal(reopened.tensors, gguf.tensors);
});

test("a path, paths, file URLs, Files and a worker load the same model", async () => {
  const files = await makeCheckpoint(tinyModel({ type: "F16" }), { shards: 2 });
  const tokens = [1, 2, 3, 70];
  const expected = await logitsOf(asFileList(files), tokens);
  await withFolder(files, async (folder) => {
    const paths = Array.from(files.keys(), (name) => `${folder}/${name}`);
    const sources: ModelSource[] = [folder, `${folder}/`, paths, pathToFileURL(folder)];
    for (const source of sources) assert.is(await logitsOf(source, tokens), expected);
    for (const source of [folder, paths, asFileList(files)]) {
      assert.is(await logitsOf(source, tokens, { worker: true }), expected, "worker");
    }
    const quantized = await logitsOf(folder, tokens, { quantize: "q8_0" });
    assert.is.not(quantized, expected);
    const inWorker = await logitsOf(folder, tokens, { quantize: "q8_0", worker: true });
    assert.is(inWorker, quantized);
  });
});

test("a tied head is the embedding, even where the file has a copy", async () => {
  const untied = tinyModel({ tied: false });
  const files = await makeCheckpoint(untied, { config: { tie_word_embeddings: true } });
  assert.not((await openFiles(files)).tensors.has("output.weight"));
  const unsaid = await makeCheckpoint(untied, { config: { tie_word_embeddings: undefined } });
  assert.ok((await openFiles(unsaid)).tensors.has("output.weight"));
});

test("an abort rejects with its reason", async () => {
  const files: Files = await makeCheckpoint(tinyModel());
  const sources = await openSources(asFileList(files));
  const reason = new Error("enough");
  const error = await openCheckpoint(sources, "none", AbortSignal.abort(reason)).catch((e) => e);
  assert.is(error, reason);
});

test.run();
