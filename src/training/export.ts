/** Trained parameters as a GGUF file. */
import { PlmError } from "../errors.js";
import { areLoadable, quantized } from "../format/quantize.js";
import { type MetadataEntry, type TensorData, writeGguf } from "../format/writer.js";
import type { PlmConfig } from "../model/config.js";
import { modelMetadata } from "../model/write-config.js";
import type { Parameter, Parameters } from "./network/parameters.js";

/** How matrices are stored; norms are F32. */
export type ExportType = "F32" | "Q8_0";

/** A file's metadata. */
export interface ExportOptions {
  readonly config: PlmConfig;
  readonly type: ExportType;
  /** general.name */
  readonly name: string;
  /** The tokenizer's entries. */
  readonly tokenizer: readonly MetadataEntry[];
}

/**
 * The file, piece by piece: f32[parameters.length] as the tensors of a PLM, names and order as in
 * converted files. Throws TRAINING_DIVERGED for a value that is not finite or too large to load.
 */
export function exportGguf(
  values: Float32Array,
  parameters: Parameters,
  options: ExportOptions,
): Generator<Uint8Array> {
  const { config, type, name, tokenizer } = options;
  const fileType = type === "F32" ? 0 : 7;
  const metadata = [...modelMetadata(config, name, fileType), ...tokenizer];
  const tensors = parameters.all.map((parameter) => tensorOf(values, parameter, type));
  return writeGguf(metadata, tensors);
}

function tensorOf(values: Float32Array, parameter: Parameter, type: ExportType): TensorData {
  const { name, rows, cols, offset, transposed, decays } = parameter;
  const stored = values.subarray(offset, offset + rows * cols);
  const checked = (type: ExportType, bytes: Uint8Array | undefined): Uint8Array => {
    if (bytes !== undefined && areLoadable(type, bytes)) return bytes;
    const message = `${name}: expected finite values that ${type} can hold`;
    throw new PlmError("TRAINING_DIVERGED", message);
  };
  const vector = (): Uint8Array => checked("F32", bytesOf(stored));
  if (!decays) return { name, type: "F32", shape: [cols], data: vector };
  const data = (): Uint8Array => {
    const matrix = transposed ? transpose(stored, rows, cols) : stored;
    return checked(type, type === "F32" ? bytesOf(matrix) : quantized("Q8_0", matrix));
  };
  return { name, type, shape: transposed ? [cols, rows] : [rows, cols], data };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}

function transpose(values: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * cols + Math.floor(i / rows)]);
}
