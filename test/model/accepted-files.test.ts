/** The same model in all forms that llama.cpp's loader accepts: the logits are the same. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { GgufValue, MetadataType } from "../../src/format/metadata.js";
import type { TensorData } from "../../src/format/writer.js";
import {
  assertAtMost,
  assertRejects,
  engineLogits,
  loadEngine,
  planEngine,
  rowsError,
} from "./support/engine.js";
import { referenceLogits } from "./support/reference-forward.js";
import { K_DIMS, SMALL_DIMS, type TinyOptions, type TinyParts, tinyModel } from "./support/tiny.js";

type Change = (parts: TinyParts) => void;

const TOKENS = [1, 77, 260, 3];

const set =
  (key: string, type: MetadataType, value: GgufValue): Change =>
  ({ metadata }) => {
    metadata.set(key, { key, type, value });
  };
const remove =
  (...keys: string[]): Change =>
  ({ metadata }) => {
    for (const key of keys) metadata.delete(key);
  };
const all =
  (...changes: Change[]): Change =>
  (parts) => {
    for (const change of changes) change(parts);
  };

/** All tensors, their shapes made otherwise. */
const reshape =
  (change: (shape: number[]) => number[]): Change =>
  ({ tensors }) => {
    for (const [name, tensor] of tensors) {
      tensors.set(name, { ...tensor, shape: change(tensor.shape) });
    }
  };

/** Changes of a file's form that keep its meaning, and the file to compare with. */
const SAME: readonly [what: string, change: Change, options?: TinyOptions][] = [
  ["no vocab_size", remove("plm.vocab_size")],
  ["a stale vocab_size", set("plm.vocab_size", "uint32", 151936)],
  ["no head_count_kv", remove("plm.attention.head_count_kv")],
  [
    "no key_length",
    remove("plm.attention.key_length"),
    { dims: { ...SMALL_DIMS, qkNopeHeadDim: 24 } },
  ],
  [
    "no value_length",
    remove("plm.attention.value_length"),
    { dims: { ...SMALL_DIMS, vHeadDim: 32 } },
  ],
  [
    "values for each layer",
    all(
      set("plm.attention.head_count", { array: "uint32" }, Uint32Array.of(2, 2)),
      set("plm.attention.head_count_kv", { array: "int32" }, Int32Array.of(2, 2)),
      set("plm.feed_forward_length", { array: "uint32" }, Uint32Array.of(96, 96)),
    ),
  ],
  [
    "numbers of other types",
    all(
      set("plm.block_count", "uint8", 2),
      set("plm.embedding_length", "int64", 64),
      set("plm.context_length", "uint64", 64),
      set("plm.rope.freq_base", "float64", 100000),
      set("plm.attention.kv_lora_rank", "float32", 32),
    ),
  ],
  ["a context longer than memory", set("plm.context_length", "uint32", 2 ** 32 - 1)],
  ["trailing dimensions of 1", reshape((shape) => [1, 1, ...shape])],
  ["the order of tensors", ({ tensors }) => reverse(tensors)],
  ["the order of keys", ({ metadata }) => reverse(metadata)],
  ["alignment to 1", set("general.alignment", "uint32", 1)],
  ["alignment to a page", set("general.alignment", "uint32", 4096)],
  [
    "what a merge of parts leaves",
    all(
      set("split.no", "uint16", 3),
      set("split.count", "uint16", 0),
      set("split.tensors.count", "int32", 7),
    ),
  ],
  ["an unknown type of file", set("general.type", "string", "finetune")],
  [
    "keys of others",
    all(
      set("clip.has_vision_encoder", "bool", true),
      set("general.tags", { array: "string" }, ["a", "b"]),
      set("nested.lists", { array: { array: "uint32" } }, [Uint32Array.of(1)]),
      set("imatrix.chunks", "int32", 5),
    ),
  ],
  [
    "features that are off",
    all(
      set("plm.expert_count", "uint32", 0),
      set("plm.attention.causal", "bool", true),
      set("plm.attention.sliding_window", "uint32", 4096),
      set("plm.final_logit_softcapping", "float32", 0),
      set("plm.rope.scaling.finetuned", "bool", false),
    ),
  ],
];

/** Reverses the order of a map's entries. */
function reverse(map: Map<string, unknown>): void {
  const entries = [...map].reverse();
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

async function logitsOf(file: Uint8Array): Promise<Float32Array[]> {
  const model = await loadEngine(file, { contextLength: 16 });
  const logits = await engineLogits(model, TOKENS);
  model.dispose();
  return logits;
}

test("the same logits, whatever the form of the file", async () => {
  for (const [what, change, options = {}] of SAME) {
    const expected = await logitsOf(tinyModel(options));
    assert.equal(await logitsOf(tinyModel(options, change)), expected, what);
  }
});

test("the last tensor needs no padding behind it", async () => {
  const last: Change = ({ tensors }) => {
    const name = "blk.1.attn_norm.weight";
    const tensor = tensors.get(name)!;
    tensors.delete(name);
    tensors.set(name, tensor);
  };
  const change = all(last, set("general.alignment", "uint32", 1024));
  const file = tinyModel({}, change);
  const end = file.length - 1024 + 64 * 4;
  assert.equal(await logitsOf(file.subarray(0, end)), await logitsOf(file));
  await assertRejects(logitsOf(file.subarray(0, end - 1)), "INVALID_FILE", "ends at byte");
});

/** A down-projection of Q6_K [hiddenSize, 768], hiddenSize at most 256. */
function sixBitDown(hiddenSize: number): TensorData {
  const name = "blk.0.ffn_down.weight";
  let data = new Uint8Array(0);
  tinyModel({ dims: { ...K_DIMS, numHiddenLayers: 1 }, type: "Q6_K" }, ({ tensors }) => {
    data = (tensors.get(name)!.data as Uint8Array).slice(0, hiddenSize * 3 * 210);
  });
  return { name, type: "Q6_K", shape: [hiddenSize, 768], data };
}

test("a down-projection of Q6_K whose outputs are not a multiple of 64", async () => {
  for (const hiddenSize of [32, 96, 160, 192]) {
    const dims = { ...K_DIMS, hiddenSize, numHiddenLayers: 1 };
    const down = sixBitDown(hiddenSize);
    const file = tinyModel({ dims }, ({ tensors }) => tensors.set(down.name, down));
    const expected = await referenceLogits(file, TOKENS);
    for (const threads of [1, 3]) {
      const model = await loadEngine(file, { cacheType: "f32", threads, precision: "exact" });
      const actual = await engineLogits(model, TOKENS);
      model.dispose();
      // Where it has a place in a slab, its activations are rounded to 14 bits.
      const limit = hiddenSize % 64 === 0 ? 3e-4 : 3e-6;
      assertAtMost(rowsError(actual, expected), limit, `${hiddenSize}, ${threads} threads`);
    }
  }
});

const REPORTS = resolve("../shared/reports");

test("files of public reports", async () => {
  if (!existsSync(REPORTS)) return console.log("skipped: ../shared/reports is absent");
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(resolve(REPORTS, name)));
  const extra = planEngine(read("extra-bias.gguf"));
  await assertRejects(extra, "UNSUPPORTED_FILE", "expected no such tensors in a PLM");
  const cut = planEngine(read("layers-cut.gguf"));
  await assertRejects(cut, "INVALID_FILE", "layers (plm.block_count)");
  for (const name of ["add-bos.gguf", "padding-id-ffffffff.gguf", "merge-target-control.gguf"]) {
    await planEngine(read(name));
  }
});

test.run();
