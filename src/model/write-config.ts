/** Writes a PLM's config as GGUF metadata, which config.ts reads. */
import type { MetadataEntry } from "../format/writer.js";
import type { PlmConfig } from "./config.js";

/**
 * The entries in the order of converted files, without a name if there is none; `fileType` is
 * GGUF's: 0 for F32, 7 for Q8_0.
 */
export function modelMetadata(
  config: PlmConfig,
  name: string | undefined,
  fileType: number,
): MetadataEntry[] {
  const u32 = (key: string, value: number): MetadataEntry => ({ key, type: "uint32", value });
  const f32 = (key: string, value: number): MetadataEntry => ({ key, type: "float32", value });
  const text = (key: string, value: string): MetadataEntry => ({ key, type: "string", value });
  return [
    text("general.architecture", "plm"),
    ...(name === undefined ? [] : [text("general.name", name)]),
    u32("general.file_type", fileType),
    u32("plm.block_count", config.numHiddenLayers),
    u32("plm.context_length", config.maxPositionEmbeddings),
    u32("plm.embedding_length", config.hiddenSize),
    u32("plm.feed_forward_length", config.intermediateSize),
    u32("plm.attention.head_count", config.numAttentionHeads),
    u32("plm.attention.head_count_kv", config.numAttentionHeads),
    f32("plm.rope.freq_base", config.ropeTheta),
    f32("plm.attention.layer_norm_rms_epsilon", config.rmsNormEps),
    u32("plm.vocab_size", config.vocabSize),
    u32("plm.attention.kv_lora_rank", config.kvLoraRank),
    u32("plm.attention.key_length", config.qkNopeHeadDim + config.qkRopeHeadDim),
    u32("plm.attention.value_length", config.vHeadDim),
    u32("plm.rope.dimension_count", config.qkRopeHeadDim),
  ];
}
