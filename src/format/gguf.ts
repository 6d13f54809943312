/** GGUF files: what is in them. Versions 2 and 3, little-endian, in one file or split into parts. */
import { PlmError } from "../errors.js";
import type { TensorType } from "./dtypes.js";
import type { ByteSource } from "./source.js";

/**
 * A metadata value. Numbers are bigint only beyond 2^53. Arrays of numbers are typed arrays of the
 * stored width (64-bit integers: BigInt64Array, BigUint64Array); of strings, string[]; of booleans,
 * boolean[]; of arrays, GgufValue[].
 */
export type GgufValue = number | bigint | boolean | string | NumberArray | GgufValue[];

/** A metadata array of numbers. */
export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** Where a tensor lies and what it is. */
export interface TensorInfo {
  name: string;
  type: TensorType;
  /** Output-first, `[rows, cols]`: GGUF's `ne` reversed, as many dimensions as stored. */
  shape: number[];
  /** Bytes from the start of its file. */
  offset: number;
  byteLength: number;
  /** Index of its file in `Gguf.sources`. */
  file: number;
}

/** An opened model file: all that its header says. */
export interface Gguf {
  version: number;
  metadata: Map<string, GgufValue>;
  /** In the order of the file. */
  tensors: Map<string, TensorInfo>;
  /** To be read for tensor data, in the place of those given to `openGguf`. */
  sources: ByteSource[];
}

/** Reads and checks the headers of a file or of all parts of a split file. */
export async function openGguf(sources: ByteSource[], signal?: AbortSignal): Promise<Gguf> {
  signal?.throwIfAborted();
  throw new PlmError("INVALID_FILE", `${sources[0].name}: not read`);
}
