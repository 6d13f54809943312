/**
 * The entries of an architecture's tensor table: each tensor's name in files, layout in memory and
 * role in training. All code that reads, trains or writes tensors uses the table.
 */
import type { PlmConfig } from "./config.js";

/**
 * How a weight lies in memory: `vector` f32[cols], `panels` for y = W x, `slab` transposed and
 * sparse.
 */
export type WeightLayout = "vector" | "panels" | "slab";

/** One tensor of a model with a given config. */
export interface TensorSpec {
  /** Its name in GGUF files, without the layer and `.weight`. */
  readonly name: string;
  /** Its name in checkpoints, without the layer and `.weight`. */
  readonly checkpointName: string;
  /** Outputs first; a vector is one row. */
  readonly shape: readonly [rows: number, cols: number];
  /** In training, too, a slab is transposed. */
  readonly layout: WeightLayout;
  /** Whether its outputs are added to the residual stream: its initial values are smaller. */
  readonly addsToResidual: boolean;
  /** Which of its rows are rotated by position. */
  readonly rotary?: RotaryRows;
  /** Two tensors that a file may have instead. */
  readonly halves?: readonly [Half, Half];
}

/** The last `dims` of every `blockRows` rows make dims that are rotated, in adjacent pairs. */
export interface RotaryRows {
  readonly blockRows: number;
  readonly dims: number;
}

/** A tensor that holds a part of another. */
export interface Half {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A layer's tensors by their names in checkpoints, in the order of files. */
export type TensorTable<Key extends string = string> = Readonly<
  Record<Key, (config: PlmConfig) => TensorSpec>
>;

/** All tensors of a model: those of a layer once. */
export interface ModelTensors<Key extends string> {
  readonly embedTokens: TensorSpec;
  readonly layer: Readonly<Record<Key, TensorSpec>>;
  readonly norm: TensorSpec;
  /** A file may leave it out; then the embedding serves as the head. */
  readonly lmHead: TensorSpec;
}

export function vector(name: string, checkpointName: string, cols: number): TensorSpec {
  return { name, checkpointName, shape: [1, cols], layout: "vector", addsToResidual: false };
}

export function matrix(
  name: string,
  checkpointName: string,
  shape: readonly [rows: number, cols: number],
  more: Partial<TensorSpec> = {},
): TensorSpec {
  return { name, checkpointName, shape, layout: "panels", addsToResidual: false, ...more };
}

/** The tensors of a model whose layers follow the table. */
export function tensorsOf<Key extends string>(
  table: TensorTable<Key>,
  config: PlmConfig,
): ModelTensors<Key> {
  const { vocabSize, hiddenSize } = config;
  return {
    embedTokens: matrix("token_embd", "model.embed_tokens", [vocabSize, hiddenSize]),
    layer: mapTable(table, (spec) => spec(config)),
    norm: vector("output_norm", "model.norm", hiddenSize),
    lmHead: matrix("output", "lm_head", [vocabSize, hiddenSize]),
  };
}

/** A tensor's name in files: a layer's, or without `layer` the model's. */
export function tensorName({ name }: { readonly name: string }, layer?: number): string {
  return layer === undefined ? `${name}.weight` : `blk.${layer}.${name}.weight`;
}

/** A tensor's name in checkpoints, likewise. */
export function checkpointTensorName(
  { checkpointName }: { readonly checkpointName: string },
  layer?: number,
): string {
  const prefix = layer === undefined ? "" : `model.layers.${layer}.`;
  return `${prefix}${checkpointName}.weight`;
}

/** Maps a table's values; names and order stay. */
export function mapTable<Key extends string, From, To>(
  table: Readonly<Record<Key, From>>,
  to: (value: From, key: string) => To,
): Record<Key, To> {
  const entries = Object.entries<From>(table).map(([key, value]) => [key, to(value, key)]);
  return Object.fromEntries(entries) as Record<Key, To>;
}
