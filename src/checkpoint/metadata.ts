/** A checkpoint's config and tokenizer as GGUF metadata. */
import type { TensorType } from "../format/dtypes.js";
import type { MetadataEntry } from "../format/writer.js";
import { modelMetadata } from "../model/write-config.js";
import type { TokenizerSource } from "../tokenizer/metadata.js";
import { metadataOf } from "../tokenizer/write-metadata.js";
import type { CheckpointConfig } from "./config.js";
import type { VirtualTensor } from "./tensors.js";

/** llama.cpp's numbers of files whose matrices are mostly of one type. */
const FILE_TYPES: Readonly<Partial<Record<TensorType, number>>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q8_0: 7,
  BF16: 32,
};

/** Version of the block layouts, ggml's GGML_QNT_VERSION, which converters write in any file. */
const QUANTIZATION_VERSION = 2;

/** The entries in the order of converted files. */
export function createMetadata(
  { config, name, ropeEntries }: CheckpointConfig,
  tensors: readonly VirtualTensor[],
  tokenizer: TokenizerSource,
): MetadataEntry[] {
  const version = "general.quantization_version";
  return [
    ...modelMetadata(config, name, FILE_TYPES[mostFrequentType(tensors)]!),
    ...ropeEntries,
    { key: version, type: "uint32", value: QUANTIZATION_VERSION },
    ...metadataOf(tokenizer),
  ];
}

/** The type that most values of matrices have. */
function mostFrequentType(tensors: readonly VirtualTensor[]): TensorType {
  const counts = new Map<TensorType, number>();
  for (const { type, shape, rows, cols } of tensors) {
    if (shape.length > 1) counts.set(type, (counts.get(type) ?? 0) + rows * cols);
  }
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}
