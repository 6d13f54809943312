/** GGUF files of tiny seeded models, which tests can damage. */
import { TENSOR_TYPES, type TensorType } from "../../../src/format/dtypes.js";
import { encodeGguf, type MetadataEntry, type TensorData } from "../../../src/format/writer.js";
import { byteToChar } from "../../../src/tokenizer/bytes.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { referenceF16Bits } from "../../support/reference.js";

/** A model's dims, named as in PlmConfig. */
export interface TinyDims {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  kvLoraRank: number;
  qkNopeHeadDim: number;
  qkRopeHeadDim: number;
  vHeadDim: number;
  contextLength: number;
}

/** The smallest, for tests of behaviour. */
export const SMALL_DIMS: TinyDims = {
  vocabSize: 261,
  hiddenSize: 64,
  intermediateSize: 96,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  kvLoraRank: 32,
  qkNopeHeadDim: 16,
  qkRopeHeadDim: 8,
  vHeadDim: 16,
  contextLength: 64,
};

/** Hardly a power of two. */
export const ODD_DIMS: TinyDims = {
  vocabSize: 261,
  hiddenSize: 320,
  intermediateSize: 1184,
  numHiddenLayers: 2,
  numAttentionHeads: 5,
  kvLoraRank: 96,
  qkNopeHeadDim: 40,
  qkRopeHeadDim: 24,
  vHeadDim: 32,
  contextLength: 64,
};

/** Rope dims that a q8_0 cache can hold. */
export const Q8_CACHE_DIMS: TinyDims = { ...ODD_DIMS, qkRopeHeadDim: 32 };

/** Rows of whole 256-blocks, as the K types want them. */
export const K_DIMS: TinyDims = {
  ...ODD_DIMS,
  hiddenSize: 256,
  intermediateSize: 768,
  numAttentionHeads: 4,
  kvLoraRank: 256,
  vHeadDim: 64,
};

/** The form of a tiny model. */
export interface TinyOptions {
  dims?: TinyDims;
  /** Of all matrices; default F32. Norms are F32 always. */
  type?: TensorType;
  /** Whether output.weight is left out; default true. */
  tied?: boolean;
  /** Whether kv_b comes as k_b and v_b; default false. */
  splitKvB?: boolean;
  seed?: number;
  chatTemplate?: string;
}

/** The parts of a file, by name, for tests to change. */
export interface TinyParts {
  metadata: Map<string, MetadataEntry>;
  tensors: Map<string, TensorData>;
}

/** The token that ends a text, and the ids of the chat's two. */
export const EOS_TOKEN = 256;
const SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/** A file's bytes. `change` may damage its parts before they are written. */
export function tinyModel(
  options: TinyOptions = {},
  change: (parts: TinyParts) => void = () => {},
): Uint8Array<ArrayBuffer> {
  const parts = { metadata: tinyMetadata(options), tensors: tinyTensors(options) };
  change(parts);
  return encodeGguf([...parts.metadata.values()], [...parts.tensors.values()]);
}

/** The metadata of PLM's files, and a tokenizer in which a byte is a token. */
export function tinyMetadata({
  dims = SMALL_DIMS,
  chatTemplate,
}: TinyOptions = {}): Map<string, MetadataEntry> {
  const entries: MetadataEntry[] = [
    { key: "general.architecture", type: "string", value: "plm" },
    { key: "plm.rope.freq_base", type: "float32", value: 100000 },
    { key: "plm.attention.layer_norm_rms_epsilon", type: "float32", value: 1e-6 },
  ];
  const counts = {
    "plm.vocab_size": dims.vocabSize,
    "plm.block_count": dims.numHiddenLayers,
    "plm.context_length": dims.contextLength,
    "plm.embedding_length": dims.hiddenSize,
    "plm.feed_forward_length": dims.intermediateSize,
    "plm.attention.head_count": dims.numAttentionHeads,
    "plm.attention.head_count_kv": dims.numAttentionHeads,
    "plm.attention.kv_lora_rank": dims.kvLoraRank,
    "plm.attention.key_length": dims.qkNopeHeadDim + dims.qkRopeHeadDim,
    "plm.attention.value_length": dims.vHeadDim,
    "plm.rope.dimension_count": dims.qkRopeHeadDim,
  };
  for (const [key, value] of Object.entries(counts)) entries.push({ key, type: "uint32", value });
  entries.push(...tokenizerEntries(dims.vocabSize));
  if (chatTemplate !== undefined) {
    entries.push({ key: "tokenizer.chat_template", type: "string", value: chatTemplate });
  }
  return new Map(entries.map((entry) => [entry.key, entry]));
}

function tokenizerEntries(vocabSize: number): MetadataEntry[] {
  const tokens = Array.from({ length: 256 }, (_, byte) => byteToChar(byte));
  tokens.push(...SPECIAL_TOKENS);
  while (tokens.length < vocabSize) tokens.push(`[PAD${tokens.length}]`);
  const tokenTypes = Int32Array.from(tokens, (_, id) => (id < 256 ? 1 : id < 259 ? 3 : 5));
  return [
    { key: "tokenizer.ggml.model", type: "string", value: "gpt2" },
    { key: "tokenizer.ggml.pre", type: "string", value: "qwen2" },
    { key: "tokenizer.ggml.tokens", type: { array: "string" }, value: tokens },
    { key: "tokenizer.ggml.token_type", type: { array: "int32" }, value: tokenTypes },
    { key: "tokenizer.ggml.merges", type: { array: "string" }, value: [] },
    { key: "tokenizer.ggml.eos_token_id", type: "uint32", value: EOS_TOKEN },
  ];
}

/** The tensors, by name. */
export function tinyTensors(options: TinyOptions): Map<string, TensorData> {
  const { dims = SMALL_DIMS, type = "F32", tied = true, splitKvB = false, seed = 1 } = options;
  const { hiddenSize, numAttentionHeads: heads, kvLoraRank, qkNopeHeadDim, vHeadDim } = dims;
  const random = seededRandom(seed);
  const tensors: TensorData[] = [];
  const add = (name: string, shape: number[], std = shape[shape.length - 1] ** -0.5): void => {
    const count = shape.reduce((a, b) => a * b, 1);
    tensors.push({ name, type, shape, data: randomTensor(type, count, random, std) });
  };
  const addNorm = (name: string, size: number): void => {
    const values = gaussian(size, random, 0.05).map((value) => value + 1);
    tensors.push({ name, type: "F32", shape: [size], data: new Uint8Array(values.buffer) });
  };
  add("token_embd.weight", [dims.vocabSize, hiddenSize], 0.5);
  for (let i = 0; i < dims.numHiddenLayers; i++) {
    const blk = `blk.${i}`;
    addNorm(`${blk}.attn_norm.weight`, hiddenSize);
    // Larger than usual, so that attention is not the same everywhere.
    const qRows = heads * (qkNopeHeadDim + dims.qkRopeHeadDim);
    add(`${blk}.attn_q.weight`, [qRows, hiddenSize], 2 * hiddenSize ** -0.5);
    add(`${blk}.attn_kv_a_mqa.weight`, [kvLoraRank + dims.qkRopeHeadDim, hiddenSize]);
    addNorm(`${blk}.attn_kv_a_norm.weight`, kvLoraRank);
    if (splitKvB) {
      add(`${blk}.attn_k_b.weight`, [heads, kvLoraRank, qkNopeHeadDim], kvLoraRank ** -0.5);
      add(`${blk}.attn_v_b.weight`, [heads, vHeadDim, kvLoraRank]);
    } else add(`${blk}.attn_kv_b.weight`, [heads * (qkNopeHeadDim + vHeadDim), kvLoraRank]);
    add(`${blk}.attn_output.weight`, [hiddenSize, heads * vHeadDim]);
    addNorm(`${blk}.ffn_norm.weight`, hiddenSize);
    add(`${blk}.ffn_up.weight`, [dims.intermediateSize, hiddenSize]);
    add(`${blk}.ffn_down.weight`, [hiddenSize, dims.intermediateSize]);
  }
  addNorm("output_norm.weight", hiddenSize);
  if (!tied) add("output.weight", [dims.vocabSize, hiddenSize]);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

/** A block type's f16 scale and, for some, minimum; `std` is that of the values at scale 1. */
interface BlockFields {
  scaleAt: number;
  std: number;
  minAt?: number;
  /** The minimum that makes the values' mean zero at scale 1. */
  min?: number;
}

/** Where the scales of quantised blocks are, as src/format/dtypes.ts draws them. */
export const BLOCK_FIELDS: Readonly<
  Record<Exclude<TensorType, "F32" | "F16" | "BF16">, BlockFields>
> = {
  Q8_0: { scaleAt: 0, std: 74 },
  Q4_0: { scaleAt: 0, std: 4.6 },
  Q4_1: { scaleAt: 0, std: 4.6, minAt: 2, min: -7.5 },
  Q5_0: { scaleAt: 0, std: 9.2 },
  Q5_1: { scaleAt: 0, std: 9.2, minAt: 2, min: -15.5 },
  Q2_K: { scaleAt: 80, std: 14, minAt: 82, min: 1.5 },
  Q3_K: { scaleAt: 108, std: 43 },
  Q4_K: { scaleAt: 0, std: 257, minAt: 2, min: 7.5 },
  Q5_K: { scaleAt: 0, std: 525, minAt: 2, min: 15.5 },
  Q6_K: { scaleAt: 208, std: 1369 },
};

/** Stored bytes of random values of about this standard deviation: any bits, sane scales. */
function randomTensor(
  type: TensorType,
  count: number,
  random: () => number,
  std: number,
): Uint8Array {
  if (type === "F32" || type === "F16" || type === "BF16") {
    return encodeFloats(type, gaussian(count, random, std));
  }
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const fields = BLOCK_FIELDS[type];
  const bytes = new Uint8Array((count / blockSize) * blockBytes);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const scale = (std / fields.std) * (0.5 + random());
    view.setUint16(at + fields.scaleAt, referenceF16Bits(scale), true);
    if (fields.minAt === undefined) continue;
    view.setUint16(at + fields.minAt, referenceF16Bits(scale * fields.min!), true);
  }
  return bytes;
}

function encodeFloats(type: "F32" | "F16" | "BF16", values: Float32Array): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer);
  const bits = new Uint32Array(values.buffer);
  const halves = Uint16Array.from(values, (value, i) =>
    type === "F16" ? referenceF16Bits(value) : bits[i] >>> 16,
  );
  return new Uint8Array(halves.buffer);
}

/** Seeded token ids, and as the second the last of the vocabulary. */
export function tinyTokens(count: number, seed = 7): number[] {
  const random = seededRandom(seed);
  const { vocabSize } = SMALL_DIMS;
  return Array.from({ length: count }, (_, i) =>
    i === 1 ? vocabSize - 1 : Math.floor(random() * vocabSize),
  );
}
