/** The tensors that a checkpoint becomes as GGUF, and where their values come from. */
import { listOf } from "../describe.js";
import { quote } from "../errors.js";
import { TENSOR_TYPES, type TensorType } from "../format/dtypes.js";
import type { QuantizedType } from "../format/quantize.js";
import type { PlmConfig } from "../model/config.js";
import { PLM_TENSORS } from "../model/plm-tensors.js";
import {
  checkpointTensorName,
  type RotaryRows,
  type TensorSpec,
  tensorName,
  tensorsOf,
} from "../model/tensor-table.js";
import type { CheckpointConfig } from "./config.js";
import { invalidJson, unsupportedJson } from "./files.js";
import type { StoredTensor } from "./weights-files.js";

/** The types of a checkpoint's floats. */
export type FloatType = "F32" | "F16" | "BF16";

/** A tensor of the GGUF file. */
export interface VirtualTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Output-first; vectors have one dimension. */
  readonly shape: number[];
  readonly rows: number;
  readonly cols: number;
  readonly stored: StoredTensor;
  readonly storedType: FloatType;
  /** The checkpoint's name, for messages. */
  readonly storedName: string;
  /** Its rotated rows, if they have to be reordered. */
  readonly reordered?: RotaryRows;
}

/** Tensors that hold no weights: tables that older files saved. */
const NO_WEIGHTS = /\.rotary_emb\.inv_freq$/;

/** The most names in a message. */
const MOST_NAMED = 3;

/**
 * The model's tensors, in the order in which they are stored, so that files are read from front to
 * back; matrices as `quantized`, or else as they are
 * stored, vectors as F32. Throws INVALID_FILE for a tensor that is missing or of another shape,
 * UNSUPPORTED_FILE for one that PLM does not have or of another type than F32, F16 and BF16.
 */
export function planTensors(
  stored: ReadonlyMap<string, StoredTensor>,
  { config, isTied, isInterleaved }: CheckpointConfig,
  quantized: QuantizedType | undefined,
  folder: string,
): VirtualTensor[] {
  const left = new Set([...stored.keys()].filter((name) => !NO_WEIGHTS.test(name)));
  const planned: VirtualTensor[] = [];
  const hasHead = !(isTied ?? !stored.has("lm_head.weight"));
  for (const { spec, layer } of specsOf(config, hasHead)) {
    const name = checkpointTensorName(spec, layer);
    const tensor = stored.get(name);
    if (tensor === undefined) throw invalidJson(folder, `tensor ${quote(name)}`, "none");
    left.delete(name);
    const { rotary } = spec;
    const reordered = rotary !== undefined && !isInterleaved ? { reordered: rotary } : {};
    const place = { stored: tensor, storedName: name, name: tensorName(spec, layer) };
    planned.push({ ...place, ...formOf(spec, tensor, name, quantized), ...reordered });
  }
  // A tied head is the embedding, whatever its file says.
  if (!hasHead) left.delete("lm_head.weight");
  if (left.size === 0) return planned.sort(byPlace);
  const names = listOf(Array.from(left, quote), MOST_NAMED);
  throw unsupportedJson(folder, "the tensors of PLM only", names);
}

function byPlace({ stored: a }: VirtualTensor, { stored: b }: VirtualTensor): number {
  if (a.source === b.source) return a.offset - b.offset;
  return a.source.name < b.source.name ? -1 : 1;
}

function* specsOf(
  config: PlmConfig,
  hasHead: boolean,
): Generator<{ spec: TensorSpec; layer?: number }> {
  const { embedTokens, layer: specs, norm, lmHead } = tensorsOf(PLM_TENSORS, config);
  yield { spec: embedTokens };
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    for (const spec of Object.values(specs)) yield { spec, layer };
  }
  yield { spec: norm };
  if (hasHead) yield { spec: lmHead };
}

function formOf(
  spec: TensorSpec,
  { dtype, shape, source }: StoredTensor,
  name: string,
  quantized: QuantizedType | undefined,
): Pick<VirtualTensor, "type" | "storedType" | "shape" | "rows" | "cols"> {
  const where = `${source.name}: tensor ${quote(name)}`;
  if (!isFloatType(dtype)) throw unsupportedJson(where, "F32, F16 or BF16", dtype);
  const [rows, cols] = spec.shape;
  const isVector = spec.layout === "vector";
  const wanted = isVector ? [cols] : [rows, cols];
  if (shape.length !== wanted.length || shape.some((size, i) => size !== wanted[i])) {
    throw invalidJson(where, `shape [${wanted}]`, `[${shape}]`);
  }
  const type = isVector ? "F32" : (quantized ?? dtype);
  return { type, storedType: dtype, shape: wanted, rows, cols };
}

function isFloatType(dtype: string): dtype is FloatType {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/** Bytes of a row as GGUF, and as stored. */
export function rowBytesOf({ type, storedType, cols }: VirtualTensor): {
  readonly made: number;
  readonly stored: number;
} {
  const bytesOf = (each: TensorType): number => {
    const { blockSize, blockBytes } = TENSOR_TYPES[each];
    return (cols / blockSize) * blockBytes;
  };
  return { made: bytesOf(type), stored: bytesOf(storedType) };
}

/**
 * The stored row that becomes row `row`. Of d rotated dims, stored as all first halves and then
 * all second halves of their pairs, pair i becomes rows 2i and 2i + 1.
 */
export function storedRowOf({ reordered }: VirtualTensor, row: number): number {
  if (reordered === undefined) return row;
  const { blockRows, dims } = reordered;
  const start = Math.floor(row / blockRows) * blockRows + blockRows - dims;
  const j = row - start;
  if (j < 0) return row;
  return start + (j >> 1) + (j & 1) * (dims / 2);
}
