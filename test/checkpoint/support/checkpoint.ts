/** Makes the files of a Hugging Face folder from a GGUF file, with the checkpoint's own names. */
import { type Gguf, openGguf } from "../../../src/format/gguf.js";
import type { TensorInfo } from "../../../src/format/tensors.js";
import { openSources } from "../../../src/sources/source.js";
import { encodeSafetensors, type SafetensorsData } from "./safetensors.js";

/** The files by name. */
export type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** The form of a folder. */
export interface CheckpointOptions {
  /** Whether rotated dims are adjacent pairs, as in GGUF; default true. */
  interleaved?: boolean;
  /** Files of weights; with more than one there is an index. Default 1. */
  shards?: number;
  /** tokenizer.json, or vocab.json and merges.txt; default "json". */
  tokenizer?: "json" | "vocab";
  /** Values of config.json to set; undefined removes a key. */
  config?: Record<string, unknown>;
}

/** Names of the tensors by their names in GGUF; N stands for the layer. */
const NAMES: Readonly<Record<string, string>> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
  "blk.N.attn_norm.weight": "model.layers.N.input_layernorm.weight",
  "blk.N.attn_q.weight": "model.layers.N.self_attn.q_proj.weight",
  "blk.N.attn_kv_a_mqa.weight": "model.layers.N.self_attn.kv_a_proj_with_mqa.weight",
  "blk.N.attn_kv_a_norm.weight": "model.layers.N.self_attn.kv_a_layernorm.weight",
  "blk.N.attn_kv_b.weight": "model.layers.N.self_attn.kv_b_proj.weight",
  "blk.N.attn_output.weight": "model.layers.N.self_attn.o_proj.weight",
  "blk.N.ffn_norm.weight": "model.layers.N.post_attention_layernorm.weight",
  "blk.N.ffn_up.weight": "model.layers.N.mlp.up_proj.weight",
  "blk.N.ffn_down.weight": "model.layers.N.mlp.down_proj.weight",
};

/** config.json's keys by the metadata that they equal. */
const CONFIG_KEYS: Readonly<Record<string, string>> = {
  hidden_size: "plm.embedding_length",
  intermediate_size: "plm.feed_forward_length",
  num_hidden_layers: "plm.block_count",
  num_attention_heads: "plm.attention.head_count",
  num_key_value_heads: "plm.attention.head_count_kv",
  kv_lora_rank: "plm.attention.kv_lora_rank",
  qk_rope_head_dim: "plm.rope.dimension_count",
  v_head_dim: "plm.attention.value_length",
  max_position_embeddings: "plm.context_length",
};

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
export const encodeJson = (value: unknown): Uint8Array<ArrayBuffer> =>
  encode(JSON.stringify(value, null, 2));

/** The folder's files; the GGUF file's tensors must be F32, F16 or BF16. */
export async function makeCheckpoint(
  file: Uint8Array,
  options: CheckpointOptions = {},
): Promise<Files> {
  const { interleaved = true, shards = 1, tokenizer = "json" } = options;
  const gguf = await openGguf(await openSources(file));
  const config = configOf(gguf, interleaved);
  const files: Files = new Map([
    ["config.json", encodeJson({ ...config, ...options.config })],
    ["README.md", encode("# A model\n")],
  ]);
  const tensors = tensorsOf(gguf, file, interleaved ? undefined : config);
  if (shards === 1) files.set("model.safetensors", encodeSafetensors(tensors));
  else for (const [name, bytes] of shardsOf(tensors, shards)) files.set(name, bytes);
  for (const [name, bytes] of tokenizerFiles(gguf, tokenizer)) files.set(name, bytes);
  return files;
}

function configOf({ metadata, tensors }: Gguf, interleaved: boolean): Record<string, unknown> {
  const keys = Object.entries(CONFIG_KEYS).map(([key, from]) => [key, metadata.get(from)]);
  const keyLength = Number(metadata.get("plm.attention.key_length"));
  return {
    architectures: ["PLMForCausalLM"],
    model_type: "plm",
    ...Object.fromEntries(keys),
    _name_or_path: metadata.get("general.name"),
    attention_bias: false,
    hidden_act: "relu2",
    head_dim: metadata.get("plm.rope.dimension_count"),
    q_lora_rank: null,
    qk_nope_head_dim: keyLength - Number(metadata.get("plm.rope.dimension_count")),
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 100000.0,
    rope_interleave: interleaved,
    tie_word_embeddings: !tensors.has("output.weight"),
    torch_dtype: "bfloat16",
    vocab_size: (metadata.get("tokenizer.ggml.tokens") as string[]).length,
  };
}

/** The tensors in another order than GGUF's; with `config`, rotated rows as two halves. */
function tensorsOf(
  gguf: Gguf,
  file: Uint8Array,
  config: Record<string, unknown> | undefined,
): SafetensorsData[] {
  const tensors = Array.from(gguf.tensors.values(), (tensor) => {
    const { name, type, shape, offset, byteLength } = tensor;
    const [, layer = ""] = /^blk\.(\d+)\./.exec(name) ?? [];
    const generic = name.replace(/^blk\.\d+\./, "blk.N.");
    // A copy, also of a Buffer.
    let data: Uint8Array = new Uint8Array(file.subarray(offset, offset + byteLength));
    if (config !== undefined) data = halvesOf(tensor, data, config);
    return { name: NAMES[generic].replace("N", layer), dtype: type, shape, data };
  });
  return tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Rows 2i and 2i + 1 of the rotated dims become rows i and i + dims / 2. */
function halvesOf(
  { name, shape }: TensorInfo,
  data: Uint8Array,
  config: Record<string, unknown>,
): Uint8Array {
  const rope = Number(config.qk_rope_head_dim);
  const isQuery = name.endsWith("attn_q.weight");
  if (!isQuery && !name.endsWith("attn_kv_a_mqa.weight")) return data;
  const block = rope + Number(isQuery ? config.qk_nope_head_dim : config.kv_lora_rank);
  const rowBytes = data.length / shape[0];
  const out = data.slice();
  for (let start = block - rope; start < shape[0]; start += block) {
    for (let i = 0; i < rope; i++) {
      const to = start + Math.floor(i / 2) + (i % 2) * (rope / 2);
      const row = data.subarray((start + i) * rowBytes, (start + i + 1) * rowBytes);
      out.set(row, to * rowBytes);
    }
  }
  return out;
}

function shardsOf(tensors: readonly SafetensorsData[], count: number): Files {
  const files: Files = new Map();
  const map: Record<string, string> = {};
  const number = (i: number): string => String(i).padStart(5, "0");
  for (let i = 0; i < count; i++) {
    const name = `model-${number(i + 1)}-of-${number(count)}.safetensors`;
    const part = tensors.filter((_, j) => j % count === i);
    for (const tensor of part) map[tensor.name] = name;
    files.set(name, encodeSafetensors(part));
  }
  files.set("model.safetensors.index.json", encodeJson({ metadata: {}, weight_map: map }));
  return files;
}

function tokenizerFiles({ metadata }: Gguf, form: "json" | "vocab"): Files {
  const tokens = metadata.get("tokenizer.ggml.tokens") as string[];
  const types = metadata.get("tokenizer.ggml.token_type") as Int32Array;
  const merges = metadata.get("tokenizer.ggml.merges") as string[];
  const ids = tokens.map((text, id) => [text, id] as const);
  const vocab = Object.fromEntries(ids.filter(([, id]) => types[id] === 1));
  const added = ids
    .filter(([, id]) => types[id] === 3)
    .map(([content, id]) => ({ id, content, special: true }));
  const text = (kind: string): string | null =>
    tokens[metadata.get(`tokenizer.ggml.${kind}_token_id`) as number] ?? null;
  const decoder = Object.fromEntries(added.map(({ id, ...token }) => [id, token]));
  const files: Files = new Map();
  const template = metadata.get("tokenizer.chat_template");
  if (template !== undefined) files.set("chat_template.jinja", encode(String(template)));
  files.set(
    "tokenizer_config.json",
    encodeJson({
      tokenizer_class: "Qwen2Tokenizer",
      added_tokens_decoder: decoder,
      bos_token: text("bos"),
      eos_token: text("eos"),
      pad_token: text("padding"),
    }),
  );
  if (form === "vocab") {
    files.set("vocab.json", encodeJson(vocab));
    files.set("merges.txt", encode(["#version: 0.2", ...merges, ""].join("\n")));
  } else {
    const model = { type: "BPE", vocab, merges: merges.map((merge) => merge.split(" ")) };
    files.set("tokenizer.json", encodeJson({ added_tokens: added, model }));
  }
  return files;
}
