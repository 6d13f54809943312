/** The shape of a PLM, read from GGUF metadata and checked once. */
import { PlmError } from "../errors.js";

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
  readonly maxPositionEmbeddings: number;
}

/** Dims above this are refused: they are damage, not models. */
const MAX_DIM = 1 << 20;

/** Reads fields and collects every complaint, so that one error names them all. */
class MetadataReader {
  readonly problems: string[] = [];
  readonly #metadata: ReadonlyMap<string, unknown>;

  constructor(metadata: ReadonlyMap<string, unknown>) {
    this.#metadata = metadata;
  }

  /** The value as a number, or NaN and a complaint. */
  number(key: string): number {
    const value = this.#metadata.get(key);
    if (typeof value === "number" && Number.isFinite(value)) return value;
    this.problems.push(`${key}: expected a number, got ${describe(value)}`);
    return Number.NaN;
  }

  /** The value as a dimension: an integer from 1 to MAX_DIM. */
  dim(key: string): number {
    const value = this.number(key);
    if (!Number.isNaN(value) && !(Number.isInteger(value) && value >= 1 && value <= MAX_DIM)) {
      this.problems.push(`${key}: expected an integer from 1 to ${MAX_DIM}, got ${value}`);
    }
    return value;
  }

  /** Complains unless the key is absent or has one of the values. */
  expect(key: string, values: readonly unknown[]): void {
    const value = this.#metadata.get(key);
    if (value !== undefined && !values.includes(value)) {
      this.problems.push(`${key}: expected ${values.join(" or ")}, got ${describe(value)}`);
    }
  }

  /** Complains unless `value` is a multiple of `unit`; NaN was complained of already. */
  multiple(what: string, value: number, unit: number): void {
    if (value % unit > 0)
      this.problems.push(`${what}: expected a multiple of ${unit}, got ${value}`);
  }

  /** Complains unless `value` is positive. */
  positive(what: string, value: number): void {
    if (value <= 0) this.problems.push(`${what}: expected a positive number, got ${value}`);
  }
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value === "object") return "an array";
  return String(value);
}

/**
 * The config that GGUF metadata (`plm.*`) describes. Throws UNSUPPORTED_FILE for another
 * architecture and INVALID_FILE naming every key that is missing, mistyped or inconsistent.
 */
export function parseConfig(metadata: ReadonlyMap<string, unknown>): PlmConfig {
  const architecture = metadata.get("general.architecture");
  if (architecture !== "plm") {
    throw new PlmError(
      "UNSUPPORTED_FILE",
      `general.architecture: expected "plm", got ${describe(architecture)}`,
    );
  }
  const reader = new MetadataReader(metadata);
  const config = readConfig(reader, metadata);
  checkConsistency(reader, config);
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (Array.isArray(tokens)) reader.expect("plm.vocab_size", [tokens.length]);
  if (reader.problems.length > 0) {
    throw new PlmError("INVALID_FILE", `config: ${reader.problems.join("; ")}`);
  }
  return config;
}

function readConfig(reader: MetadataReader, metadata: ReadonlyMap<string, unknown>): PlmConfig {
  const qkRopeHeadDim = reader.dim("plm.rope.dimension_count");
  const tokens = metadata.get("tokenizer.ggml.tokens");
  return {
    vocabSize:
      metadata.has("plm.vocab_size") || !Array.isArray(tokens)
        ? reader.dim("plm.vocab_size")
        : tokens.length,
    hiddenSize: reader.dim("plm.embedding_length"),
    intermediateSize: reader.dim("plm.feed_forward_length"),
    numHiddenLayers: reader.dim("plm.block_count"),
    numAttentionHeads: reader.dim("plm.attention.head_count"),
    kvLoraRank: reader.dim("plm.attention.kv_lora_rank"),
    qkNopeHeadDim: reader.dim("plm.attention.key_length") - qkRopeHeadDim,
    qkRopeHeadDim,
    vHeadDim: reader.dim("plm.attention.value_length"),
    rmsNormEps: reader.number("plm.attention.layer_norm_rms_epsilon"),
    ropeTheta: reader.number("plm.rope.freq_base"),
    maxPositionEmbeddings: reader.dim("plm.context_length"),
  };
}

function checkConsistency(reader: MetadataReader, config: PlmConfig): void {
  reader.expect("plm.attention.head_count_kv", [config.numAttentionHeads]);
  reader.expect("plm.attention.q_lora_rank", [0]);
  reader.expect("plm.rope.scaling.type", ["none"]);
  reader.positive("key_length - rope.dimension_count", config.qkNopeHeadDim);
  reader.positive("plm.attention.layer_norm_rms_epsilon", config.rmsNormEps);
  reader.positive("plm.rope.freq_base", config.ropeTheta);
  reader.multiple("plm.embedding_length", config.hiddenSize, 32);
  reader.multiple("plm.feed_forward_length", config.intermediateSize, 32);
  reader.multiple("plm.attention.kv_lora_rank", config.kvLoraRank, 32);
  reader.multiple("key_length - rope.dimension_count", config.qkNopeHeadDim, 8);
  reader.multiple("plm.rope.dimension_count", config.qkRopeHeadDim, 8);
  reader.multiple("plm.attention.value_length", config.vHeadDim, 8);
  reader.multiple("head_count * value_length", config.numAttentionHeads * config.vHeadDim, 32);
}
