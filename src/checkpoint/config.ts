/** A checkpoint's config.json: the shape of its model, and how its tensors lie. */
import { describeValue } from "../describe.js";
import type { MetadataEntry } from "../format/writer.js";
import { checkDims, type DimNames, type PlmConfig } from "../model/config.js";
import { MetadataReader } from "../model/metadata-reader.js";
import { Problems } from "../model/problems.js";
import { type JsonFile, unsupportedJson } from "./files.js";
import { readRopeParameters } from "./rope-parameters.js";

/** What config.json says. */
export interface CheckpointConfig {
  readonly config: PlmConfig;
  /** The model's name or path, if it has one. */
  readonly name: string | undefined;
  /** Whether the embedding is the output matrix, too; undefined if the tensors say so. */
  readonly isTied: boolean | undefined;
  /** Whether rotated dims are adjacent pairs, as in GGUF; else all first halves come first. */
  readonly isInterleaved: boolean;
  /** Metadata for stretched rotary embeddings. */
  readonly ropeEntries: readonly MetadataEntry[];
}

const DIM_NAMES: DimNames = {
  hiddenSize: "hidden_size",
  intermediateSize: "intermediate_size",
  kvLoraRank: "kv_lora_rank",
  qkNopeHeadDim: "qk_nope_head_dim",
  qkRopeHeadDim: "qk_rope_head_dim",
  vHeadDim: "v_head_dim",
  headsTimesValues: "num_attention_heads * v_head_dim",
};

/** Keys of other architectures: any value but an off switch changes the model. */
const OTHER_FEATURES = [
  ...["q_lora_rank", "attention_bias", "mlp_bias", "qkv_bias", "use_qk_norm", "sliding_window"],
  ...["n_routed_experts", "num_experts", "num_local_experts", "n_shared_experts"],
  ...["quantization_config", "scale_emb", "scale_depth", "dim_model_base"],
  ...["final_logit_softcapping", "attn_logit_softcapping", "is_encoder_decoder"],
] as const;

/**
 * Reads config.json. No value has a default, since those of the class are not the model's. Throws
 * UNSUPPORTED_FILE for another architecture and for features that this engine lacks, INVALID_FILE
 * for values that are missing, mistyped or inconsistent; one error names every such key.
 */
export function readCheckpointConfig({ name, values }: JsonFile): CheckpointConfig {
  const modelType = values.get("model_type");
  if (modelType !== "plm") {
    throw unsupportedJson(`${name}: model_type`, '"plm"', describeValue(modelType));
  }
  const problems = new Problems();
  const reader = new MetadataReader(values, problems);
  const rope = readRopeParameters(values, problems);
  const config: PlmConfig = {
    vocabSize: reader.dim("vocab_size"),
    hiddenSize: reader.dim("hidden_size"),
    intermediateSize: reader.dim("intermediate_size"),
    numHiddenLayers: reader.dim("num_hidden_layers"),
    numAttentionHeads: reader.dim("num_attention_heads"),
    kvLoraRank: reader.dim("kv_lora_rank"),
    qkNopeHeadDim: reader.dim("qk_nope_head_dim"),
    qkRopeHeadDim: reader.dim("qk_rope_head_dim"),
    vHeadDim: reader.dim("v_head_dim"),
    rmsNormEps: reader.notNegative("rms_norm_eps"),
    ropeTheta: rope.theta,
    maxPositionEmbeddings: reader.dim("max_position_embeddings", undefined, 2 ** 32 - 1),
  };
  checkDims(problems, config, DIM_NAMES);
  expectPlm(reader, config);
  const flag = (key: string): boolean | undefined => {
    const value = values.get(key);
    if (value === undefined || typeof value === "boolean") return value;
    problems.invalid(`${key}: expected true or false, got ${describeValue(value)}`);
    return undefined;
  };
  const isTied = flag("tie_word_embeddings");
  const isInterleaved = flag("rope_interleave") ?? true;
  const modelName = reader.text("_name_or_path", "");
  problems.throwAny(name);
  const { entries: ropeEntries } = rope;
  return { config, name: modelName || undefined, isTied, isInterleaved, ropeEntries };
}

/** Values that PLM has in one form only. */
function expectPlm(reader: MetadataReader, config: PlmConfig): void {
  const qkHeadDim = config.qkNopeHeadDim + config.qkRopeHeadDim;
  reader.expectValue("hidden_act", reader.text("hidden_act", ""), ["relu2"]);
  reader.expect("num_key_value_heads", [config.numAttentionHeads]);
  reader.expect("qk_head_dim", [qkHeadDim]);
  for (const key of OTHER_FEATURES) reader.expectOff(key);
}
