/** The shape of a PLM, read from GGUF metadata and checked once. */
import { describeValue } from "../describe.js";
import { PlmError } from "../errors.js";
import { MetadataReader } from "./metadata-reader.js";
import { Problems } from "./problems.js";
import { type RopeScaling, readRopeScaling } from "./rope-scaling.js";

/** PLM's hyperparameters, named as in its config.json. */
export interface PlmConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly kvLoraRank: number;
  readonly qkNopeHeadDim: number;
  readonly qkRopeHeadDim: number;
  readonly vHeadDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  /** Missing if rotary embeddings are not stretched. */
  readonly ropeScaling?: RopeScaling;
  readonly maxPositionEmbeddings: number;
}

/** llama.cpp's default. */
const DEFAULT_ROPE_THETA = 10000;

/** Types of GGUF files that are not models, though they name a model's architecture. */
const OTHER_FILES = ["adapter", "imatrix", "mmproj"];

/**
 * The config that GGUF metadata (`plm.*`) describes; docs/files.md lists the keys. Throws
 * UNSUPPORTED_FILE for another architecture and for features that this engine lacks, INVALID_FILE
 * for keys that are missing, mistyped or inconsistent. One error names every such key.
 */
export function parseConfig(metadata: ReadonlyMap<string, unknown>): PlmConfig {
  const architecture = metadata.get("general.architecture");
  if (architecture !== "plm") throw unsupported("general.architecture", "plm", architecture);
  const type = metadata.get("general.type");
  if (OTHER_FILES.includes(type as string)) throw unsupported("general.type", "model", type);
  const problems = new Problems();
  const reader = new MetadataReader(metadata, problems);
  const config = readConfig(reader, metadata.get("tokenizer.ggml.tokens"));
  checkDims(problems, config, DIM_KEYS);
  expectPlm(reader, config);
  reader.expectNoOther("plm.");
  problems.throwAny("config");
  return config;
}

function unsupported(key: string, expected: string, value: unknown): PlmError {
  const message = `${key}: expected "${expected}", got ${describeValue(value)}`;
  return new PlmError("UNSUPPORTED_FILE", message);
}

function readConfig(reader: MetadataReader, tokens: unknown): PlmConfig {
  const numHiddenLayers = reader.dim("plm.block_count");
  const hiddenSize = reader.dim("plm.embedding_length");
  const numAttentionHeads = reader.layersDim("plm.attention.head_count", numHiddenLayers);
  const headDim = Math.floor(hiddenSize / numAttentionHeads);
  const qkHeadDim = reader.dim("plm.attention.key_length", headDim);
  const qkRopeHeadDim = reader.dim("plm.rope.dimension_count", qkHeadDim);
  const qkNopeHeadDim = reader.checkPositive(
    "key_length - rope.dimension_count",
    qkHeadDim - qkRopeHeadDim,
  );
  // A context may be longer than any cache: `contextLength` says how much of it to plan for.
  const maxPositionEmbeddings = reader.dim("plm.context_length", undefined, 2 ** 32 - 1);
  const ropeScaling = readRopeScaling(reader, maxPositionEmbeddings);
  return {
    vocabSize: readVocabSize(reader, tokens),
    hiddenSize,
    intermediateSize: reader.layersDim("plm.feed_forward_length", numHiddenLayers),
    numHiddenLayers,
    numAttentionHeads,
    kvLoraRank: reader.dim("plm.attention.kv_lora_rank"),
    qkNopeHeadDim,
    qkRopeHeadDim,
    vHeadDim: reader.dim("plm.attention.value_length", headDim),
    rmsNormEps: reader.notNegative("plm.attention.layer_norm_rms_epsilon"),
    ropeTheta: reader.positive("plm.rope.freq_base", DEFAULT_ROPE_THETA),
    ...(ropeScaling && { ropeScaling }),
    maxPositionEmbeddings,
  };
}

/** The number of tokens; `plm.vocab_size` counts only in a file without a list of them. */
function readVocabSize(reader: MetadataReader, tokens: unknown): number {
  if (!Array.isArray(tokens)) return reader.dim("plm.vocab_size");
  reader.value("plm.vocab_size");
  return tokens.length;
}

/** The dims that the kernels take in multiples, and the multiples. */
const DIM_UNITS: Readonly<Record<Dim, number>> = {
  ...{ hiddenSize: 32, intermediateSize: 32, kvLoraRank: 32 },
  ...{ qkNopeHeadDim: 8, qkRopeHeadDim: 8, vHeadDim: 8 },
};

type Dim =
  | "hiddenSize"
  | "intermediateSize"
  | "kvLoraRank"
  | "qkNopeHeadDim"
  | "qkRopeHeadDim"
  | "vHeadDim";

/** What these dims, and the product of heads and value dims, are called in a file. */
export type DimNames = Readonly<Record<Dim | "headsTimesValues", string>>;

const DIM_KEYS: DimNames = {
  hiddenSize: "plm.embedding_length",
  intermediateSize: "plm.feed_forward_length",
  kvLoraRank: "plm.attention.kv_lora_rank",
  qkNopeHeadDim: "key_length - rope.dimension_count",
  qkRopeHeadDim: "plm.rope.dimension_count",
  vHeadDim: "plm.attention.value_length",
  headsTimesValues: "head_count * value_length",
};

/** Reports dims that the kernels cannot take, by their names in the file. */
export function checkDims(problems: Problems, config: PlmConfig, names: DimNames): void {
  const expectMultiple = (what: string, value: number, unit: number): void => {
    // NaN and fractions were reported already.
    if (!(value % unit > 0 && Number.isInteger(value))) return;
    problems.unsupported(`${what}: expected a multiple of ${unit}, got ${value}`);
  };
  for (const dim of Object.keys(DIM_UNITS) as Dim[]) {
    expectMultiple(names[dim], config[dim], DIM_UNITS[dim]);
  }
  expectMultiple(names.headsTimesValues, config.numAttentionHeads * config.vHeadDim, 32);
}

/**
 * Keys of other architectures for which PLM has a value other than 0, false, empty or "none", with
 * PLM's values.
 */
function expectPlm(reader: MetadataReader, config: PlmConfig): void {
  const qkHeadDim = config.qkNopeHeadDim + config.qkRopeHeadDim;
  const { numAttentionHeads, numHiddenLayers, maxPositionEmbeddings } = config;
  const keyHeads = "plm.attention.head_count_kv";
  const heads = reader.layersDim(keyHeads, numHiddenLayers, numAttentionHeads);
  if (!Number.isNaN(heads)) reader.expectValue(keyHeads, heads, [numAttentionHeads]);
  reader.expect("plm.attention.key_length_mla", [qkHeadDim]);
  reader.expect("plm.attention.value_length_mla", [config.vHeadDim]);
  reader.expect("plm.attention.causal", [true]);
  reader.expect("plm.attention.scale", [0, qkHeadDim ** -0.5]);
  reader.expect("plm.attention.layer_norm_epsilon", [config.rmsNormEps]);
  reader.expect("plm.embedding_length_out", [config.hiddenSize]);
  reader.expect("plm.hidden_activation", ["relu2", "relu_sqr"]);
  reader.expect("plm.tensor_data_layout", ["reference"]);
  for (const key of ["logit_scale", "residual_scale", "embedding_scale"]) {
    reader.expect(`plm.${key}`, [0, 1]);
  }
  for (const key of ["output_scale", "value_scale"]) reader.expect(`plm.attention.${key}`, [0, 1]);
  // A window that holds the whole context changes nothing.
  reader.expectOffOrAtLeast("plm.attention.sliding_window", maxPositionEmbeddings);
}
