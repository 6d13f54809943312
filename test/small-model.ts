/**
 * A PLM small enough to make in any runtime: a seeded random GGUF file, the same bytes everywhere
 * (integers and powers of two only), with a vocabulary that can be checked by hand.
 */
import { encodeGguf, type MetadataEntry, type TensorData } from "../src/format/writer.js";
import { byteToChar } from "../src/tokenizer/bytes.js";
import { seededRandom } from "./random.js";

const HIDDEN = 64;
const INTERMEDIATE = 128;
const LAYERS = 2;
const HEADS = 2;
const KV_LORA_RANK = 32;
const NOPE = 32;
const ROPE = 32;
const V_HEAD = 32;

/** Most tokens of a sequence of the small model. */
export const SMALL_CONTEXT = 96;

/** Merge r makes token 256 + r; below that, a token's id is its byte. Ġ is the space. */
const MERGES = [
  "t h", // 256
  "th e", // 257
  "Ġ the", // 258
  "i n", // 259
  "Ġ a", // 260
  "Ã ©", // 261, the two bytes of é
  "o n", // 262
];

/** Tokens 263 to 265. */
const SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

const CHAT_TEMPLATE =
  "{% for message in messages %}" +
  "{% if loop.first and messages[0]['role'] != 'system' %}" +
  "{{ '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n' }}{% endif %}" +
  "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

function metadata(architecture: string): MetadataEntry[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byteToChar(byte));
  const merged = MERGES.map((merge) => merge.replace(" ", ""));
  const tokens = [...bytes, ...merged, ...SPECIALS];
  const types = tokens.map((token) => (SPECIALS.includes(token) ? 3 : 1));
  const text = (key: string, value: string): MetadataEntry => ({ key, type: "string", value });
  const count = (key: string, value: number): MetadataEntry => ({ key, type: "uint32", value });
  const real = (key: string, value: number): MetadataEntry => ({ key, type: "float32", value });
  return [
    text("general.architecture", architecture),
    count("plm.block_count", LAYERS),
    count("plm.context_length", SMALL_CONTEXT),
    count("plm.embedding_length", HIDDEN),
    count("plm.feed_forward_length", INTERMEDIATE),
    count("plm.attention.head_count", HEADS),
    count("plm.attention.kv_lora_rank", KV_LORA_RANK),
    count("plm.attention.key_length", NOPE + ROPE),
    count("plm.attention.value_length", V_HEAD),
    count("plm.rope.dimension_count", ROPE),
    count("plm.vocab_size", tokens.length),
    real("plm.attention.layer_norm_rms_epsilon", 1e-6),
    real("plm.rope.freq_base", 100000),
    text("tokenizer.ggml.model", "gpt2"),
    text("tokenizer.ggml.pre", "qwen2"),
    { key: "tokenizer.ggml.tokens", type: { array: "string" }, value: tokens },
    { key: "tokenizer.ggml.token_type", type: { array: "int32" }, value: types },
    { key: "tokenizer.ggml.merges", type: { array: "string" }, value: MERGES },
    count("tokenizer.ggml.eos_token_id", 263),
    text("tokenizer.chat_template", CHAT_TEMPLATE),
  ];
}

/** Makes tensors in the order of the calls: the random numbers are drawn one after the other. */
class TensorMaker {
  readonly tensors: TensorData[] = [];
  readonly #random = seededRandom(2026);

  /** Q8_0 with one scale, 2^`exponent`; the weights' standard deviation is about 73 times that. */
  matrix(name: string, rows: number, cols: number, exponent: number): void {
    const data = new Uint8Array((rows * cols * 34) / 32);
    const view = new DataView(data.buffer);
    for (let at = 0; at < data.length; at += 34) {
      view.setUint16(at, (15 + exponent) << 10, true);
      for (let i = 0; i < 32; i++) view.setInt8(at + 2 + i, Math.floor(this.#random() * 255) - 127);
    }
    this.tensors.push({ name, type: "Q8_0", shape: [rows, cols], data });
  }

  /** F32 within 1/8 of 1. */
  norm(name: string, cols: number): void {
    const values = Float32Array.from({ length: cols }, () => 0.875 + this.#random() / 4);
    const data = new Uint8Array(values.buffer);
    this.tensors.push({ name, type: "F32", shape: [cols], data });
  }
}

function tensors(): TensorData[] {
  const maker = new TensorMaker();
  maker.matrix("token_embd.weight", 256 + MERGES.length + SPECIALS.length, HIDDEN, -8);
  for (let i = 0; i < LAYERS; i++) {
    maker.norm(`blk.${i}.attn_norm.weight`, HIDDEN);
    maker.matrix(`blk.${i}.attn_q.weight`, HEADS * (NOPE + ROPE), HIDDEN, -8);
    maker.matrix(`blk.${i}.attn_kv_a_mqa.weight`, KV_LORA_RANK + ROPE, HIDDEN, -8);
    maker.norm(`blk.${i}.attn_kv_a_norm.weight`, KV_LORA_RANK);
    maker.matrix(`blk.${i}.attn_kv_b.weight`, HEADS * (NOPE + V_HEAD), KV_LORA_RANK, -8);
    maker.matrix(`blk.${i}.attn_output.weight`, HIDDEN, HEADS * V_HEAD, -8);
    maker.norm(`blk.${i}.ffn_norm.weight`, HIDDEN);
    maker.matrix(`blk.${i}.ffn_up.weight`, INTERMEDIATE, HIDDEN, -9);
    maker.matrix(`blk.${i}.ffn_down.weight`, HIDDEN, INTERMEDIATE, -9);
  }
  maker.norm("output_norm.weight", HIDDEN);
  return maker.tensors;
}

/** The file: about 110 kB. With another `architecture` it is one that loadModel refuses. */
export function makeSmallModel(architecture = "plm"): Uint8Array<ArrayBuffer> {
  return encodeGguf(metadata(architecture), tensors());
}
