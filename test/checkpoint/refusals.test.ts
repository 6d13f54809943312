/** Folders that are refused: the error names the file and the key. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { planModel } from "../../src/engine/plan.js";
import type { ErrorCode } from "../../src/errors.js";
import { inspectModel, loadModel } from "../../src/index.js";
import { openSources } from "../../src/sources/source.js";
import { assertRejects } from "../model/support/engine.js";
import { tinyModel } from "../model/support/tiny.js";
import { encodeJson, type Files, makeCheckpoint } from "./support/checkpoint.js";
import { asFileList, bytesOf, openFiles, withFolder } from "./support/open.js";
import { encodeSafetensors } from "./support/safetensors.js";

const TEXT = new TextEncoder();
const sound = await makeCheckpoint(tinyModel({ type: "BF16" }));
const sharded = await makeCheckpoint(tinyModel({ type: "BF16" }), { shards: 2 });

/** The folder without some files, or with others in their place. */
function changed(
  files: Files,
  changes: Record<string, Uint8Array<ArrayBuffer> | undefined>,
): Files {
  const result = new Map(files);
  for (const [name, bytes] of Object.entries(changes)) {
    if (bytes === undefined) result.delete(name);
    else result.set(name, bytes);
  }
  return result;
}

/** A JSON file of the folder with values set; undefined removes a key. */
function withValues(files: Files, name: string, values: Record<string, unknown>): Files {
  const json = JSON.parse(new TextDecoder().decode(files.get(name))) as Record<string, unknown>;
  return changed(files, { [name]: encodeJson({ ...json, ...values }) });
}

async function refused(files: Files, code: ErrorCode, ...parts: string[]): Promise<void> {
  await assertRejects(openFiles(files), code, ...parts);
}

test("a missing file is named", async () => {
  const missing: [Files, string, string][] = [
    [sound, "config.json", "config.json"],
    [sound, "model.safetensors", "model.safetensors"],
    [sound, "tokenizer.json", "tokenizer.json"],
    [sharded, "model-00002-of-00002.safetensors", "model-00002-of-00002.safetensors"],
    [sharded, "model.safetensors.index.json", "model.safetensors.index.json"],
  ];
  for (const [files, name, part] of missing) {
    await refused(changed(files, { [name]: undefined }), "INVALID_FILE", part);
  }
  const vocab = await makeCheckpoint(tinyModel(), { tokenizer: "vocab" });
  await refused(changed(vocab, { "merges.txt": undefined }), "INVALID_FILE", "merges.txt");
});

test("an index that does not fit its files", async () => {
  const index = "model.safetensors.index.json";
  const set = (map: unknown): Files =>
    changed(sharded, { [index]: encodeJson({ weight_map: map }) });
  await refused(set({ a: "other.safetensors" }), "INVALID_FILE", "other.safetensors", index);
  const first = "model-00001-of-00002.safetensors";
  await refused(set({ a: first }), "INVALID_FILE", index, first, '"a"');
  await refused(set({ a: "../config.json" }), "INVALID_FILE", index, "../config.json");
  await refused(set([]), "INVALID_FILE", index, "weight_map");
  await refused(set({}), "INVALID_FILE", "model.embed_tokens.weight");
});

test("config.json: every wrong key is named at once", async () => {
  const config = (values: Record<string, unknown>): Files =>
    withValues(sound, "config.json", values);
  await refused(config({ model_type: "llama" }), "UNSUPPORTED_FILE", "config.json", '"llama"');
  await refused(config({ model_type: undefined }), "UNSUPPORTED_FILE", "model_type");
  await refused(
    config({ hidden_size: undefined, kv_lora_rank: "512", rms_norm_eps: -1 }),
    ...(["INVALID_FILE", "config.json", "hidden_size", "kv_lora_rank", "rms_norm_eps"] as const),
  );
  await refused(
    config({ hidden_act: "silu", q_lora_rank: 1536, attention_bias: true, num_key_value_heads: 1 }),
    ...(["UNSUPPORTED_FILE", "hidden_act", "q_lora_rank", "attention_bias"] as const),
    "num_key_value_heads",
  );
  await refused(config({ hidden_size: 48 }), "UNSUPPORTED_FILE", "hidden_size", "multiple of 32");
  await refused(config({ tie_word_embeddings: 1 }), "INVALID_FILE", "tie_word_embeddings");
  await refused(config({ tie_word_embeddings: false }), "INVALID_FILE", "lm_head.weight");
  await refused(config({ vocab_size: 258 }), "INVALID_FILE", "tokenizer.json", "<|im_end|>");
  await refused(config({ vocab_size: 262 }), "INVALID_FILE", "model.embed_tokens.weight", "[262,");
});

test("config.json: rotary embeddings", async () => {
  const rope = (values: Record<string, unknown>): Files => withValues(sound, "config.json", values);
  await refused(rope({ rope_theta: undefined }), "INVALID_FILE", "rope_theta");
  await refused(
    rope({ rope_scaling: { type: "llama3", factor: 8 } }),
    ...(["UNSUPPORTED_FILE", "rope_scaling.type", "llama3"] as const),
  );
  await refused(rope({ rope_scaling: { rope_type: "linear" } }), "INVALID_FILE", "scaling.factor");
  await refused(
    rope({ rope_scaling: { rope_type: "yarn", factor: 4, mscale: 0.7 } }),
    ...(["UNSUPPORTED_FILE", "rope_scaling.mscale"] as const),
  );
  const yarn = { rope_type: "yarn", factor: 4, beta_fast: 16, rope_theta: 5000 };
  const files = rope({ rope_theta: undefined, rope_scaling: undefined, rope_parameters: yarn });
  const { config } = planModel(await openFiles(files), { threads: 1 });
  assert.is(config.ropeTheta, 5000);
  assert.is(config.ropeScaling?.ropeType, "yarn");
  assert.is(config.ropeScaling?.betaFast, 16);
  assert.ok(Math.abs(config.ropeScaling!.attentionFactor - (0.1 * Math.log(4) + 1)) < 1e-6);
});

test("tokenizers that are not Qwen2's", async () => {
  const tokenizer = (values: Record<string, unknown>): Files =>
    withValues(sound, "tokenizer.json", values);
  const split = { type: "Split", pattern: { Regex: "\\w+" } };
  await refused(tokenizer({ pre_tokenizer: split }), "UNSUPPORTED_FILE", "pre_tokenizer.pattern");
  await refused(tokenizer({ normalizer: { type: "NFKC" } }), "UNSUPPORTED_FILE", "normalizer");
  await refused(tokenizer({ model: { type: "Unigram" } }), "UNSUPPORTED_FILE", "Unigram");
  await refused(tokenizer({ model: [] }), "INVALID_FILE", "tokenizer.json", "model");
  const two = [
    { id: 256, content: "x" },
    { id: 256, content: "y" },
  ];
  await refused(tokenizer({ added_tokens: two }), "INVALID_FILE", "256", '"x"', '"y"');
  await refused(tokenizer({ added_tokens: [{ id: 1 }] }), "INVALID_FILE", "added_tokens[0]");
  const config = withValues(sound, "tokenizer_config.json", { eos_token: "<none>" });
  await refused(config, "INVALID_FILE", "tokenizer_config.json", "eos_token", "<none>");
  const generation = { "generation_config.json": encodeJson({ eos_token_id: [1, -1] }) };
  await refused(changed(sound, generation), "INVALID_FILE", "generation_config.json");
});

test("files that are no JSON, no UTF-8, or too long", async () => {
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    await refused(changed(sound, { [name]: TEXT.encode("{") }), "INVALID_FILE", name);
    await refused(changed(sound, { [name]: TEXT.encode("[]") }), "INVALID_FILE", name);
    await refused(changed(sound, { [name]: Uint8Array.of(0xff) }), "INVALID_FILE", name);
  }
});

test("tensors that are missing, unknown, or of another shape or type", async () => {
  const data = (dtype: string, name: string, shape = [64]): Files => {
    const bytes = new Uint8Array(shape.reduce((a, b) => a * b, dtype === "I8" ? 1 : 2));
    const file = encodeSafetensors([{ name, dtype, shape, data: bytes }]);
    return changed(sound, { "model.safetensors": file });
  };
  await refused(data("F16", "model.norm.weight"), "INVALID_FILE", "model.embed_tokens.weight");
  await refused(data("I8", "model.embed_tokens.weight"), "UNSUPPORTED_FILE", "I8");
  await refused(data("F16", "model.embed_tokens.weight"), "INVALID_FILE", "[261,64]", "[64]");
  const extra = changed(sharded, {});
  const index = JSON.parse(new TextDecoder().decode(extra.get("model.safetensors.index.json"))) as {
    weight_map: Record<string, string>;
  };
  const name = "model.layers.0.self_attn.q_proj.bias";
  index.weight_map[name] = "b.safetensors";
  extra.set("model.safetensors.index.json", encodeJson(index));
  const bias = { name, dtype: "BF16", shape: [4], data: new Uint8Array(8) };
  extra.set("b.safetensors", encodeSafetensors([bias]));
  await refused(extra, "UNSUPPORTED_FILE", name);
});

test("weights that are not finite are not quantised, and name their tensor", async () => {
  const files = new Map(sound);
  const file = files.get("model.safetensors")!.slice();
  const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
  file.set([0x80, 0x7f], 8 + headerBytes);
  files.set("model.safetensors", file);
  const gguf = await openFiles(files, "q8_0");
  await assertRejects(bytesOf(gguf), "INVALID_FILE", "model.safetensors", "embed_tokens", "finite");
});

test("a folder without config.json, a file twice, streams, and GGUF with quantize", async () => {
  await withFolder(new Map([["README.md", TEXT.encode("x")]]), async (folder) => {
    await assertRejects(openSources(folder), "UNREADABLE_FILE", folder, "config.json");
  });
  const list = asFileList(sound);
  await assertRejects(loadModel([...list, list[0]]), "INVALID_ARGUMENT", "config.json twice");
  const file = tinyModel();
  const quantize = "q8_0";
  await assertRejects(loadModel(file, { quantize }), "INVALID_ARGUMENT", "quantize", "q8_0");
  const wrong = { quantize: "q2_k" as "q8_0" };
  await assertRejects(inspectModel(list, wrong), "INVALID_ARGUMENT", "quantize", "q2_k");
  const named = new File([file], "model.safetensors");
  assert.is((await inspectModel(named)).gguf.version, 3, "a GGUF file by its first bytes");
});

test.run();
