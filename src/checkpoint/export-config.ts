/** config.json and generation_config.json of a GGUF file. */
import { PlmError } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import type { PlmConfig } from "../model/config.js";
import type { RopeScaling } from "../model/rope-scaling.js";
import type { TokenizerSource } from "../tokenizer/metadata.js";
import type { ExportedType } from "./export-weights.js";

/** PyTorch's names of types. */
const TORCH_TYPES: Readonly<Record<ExportedType, string>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** The text of config.json. */
export function configJson(
  { metadata, tensors }: Gguf,
  config: PlmConfig,
  tokenizer: TokenizerSource,
  type: ExportedType,
): string {
  const name = metadata.get("general.name");
  const values = {
    ...(typeof name === "string" && { _name_or_path: name }),
    architectures: ["PLMForCausalLM"],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: tokenizer.bosTokenId ?? null,
    eos_token_id: tokenizer.eosTokenId ?? null,
    hidden_act: "relu2",
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    kv_lora_rank: config.kvLoraRank,
    max_position_embeddings: config.maxPositionEmbeddings,
    model_type: "plm",
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    num_key_value_heads: config.numAttentionHeads,
    pad_token_id: tokenizer.paddingTokenId ?? null,
    q_lora_rank: null,
    qk_nope_head_dim: config.qkNopeHeadDim,
    qk_rope_head_dim: config.qkRopeHeadDim,
    rms_norm_eps: shortest(config.rmsNormEps),
    rope_interleave: true,
    rope_scaling: scalingOf(config.ropeScaling),
    rope_theta: shortest(config.ropeTheta),
    tie_word_embeddings: !tensors.has("output.weight"),
    torch_dtype: TORCH_TYPES[type],
    use_cache: true,
    v_head_dim: config.vHeadDim,
    vocab_size: config.vocabSize,
  };
  return encodeJson(values);
}

/** The text of generation_config.json: the ids that end a text. */
export function generationConfigJson(tokenizer: TokenizerSource): string {
  const { bosTokenId, eosTokenId, eosTokenIds, paddingTokenId } = tokenizer;
  return encodeJson({
    bos_token_id: bosTokenId ?? null,
    eos_token_id: eosTokenIds ?? eosTokenId ?? null,
    pad_token_id: paddingTokenId ?? null,
  });
}

/** JSON as Python's json.dump writes it with an indent of 2. */
export function encodeJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The shortest decimal with the same f32, which GGUF stores. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}

function scalingOf(scaling: RopeScaling | undefined): object | null {
  if (scaling === undefined) return null;
  const { ropeType, factor, extrapolationFactor } = scaling;
  const isYarn = ropeType === "yarn";
  if (isYarn ? extrapolationFactor !== 1 : scaling.attentionFactor !== 1) {
    const key = `plm.rope.scaling.${isYarn ? "yarn_ext_factor" : "attn_factor"}`;
    throw new PlmError("UNSUPPORTED_FILE", `${key}: expected 1, which config.json implies`);
  }
  const linear = { rope_type: ropeType, factor: shortest(factor) };
  if (!isYarn) return linear;
  return {
    ...linear,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
    beta_fast: shortest(scaling.betaFast),
    beta_slow: shortest(scaling.betaSlow),
    attention_factor: shortest(scaling.attentionFactor),
  };
}
