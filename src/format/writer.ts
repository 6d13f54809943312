/** Writes GGUF files, version 3, little-endian. */
import { describeValue } from "../describe.js";
import { PlmError } from "../errors.js";
import { alignmentOf } from "./alignment.js";
import { ByteWriter } from "./byte-writer.js";
import { TENSOR_TYPES, type TensorType, tensorBytes } from "./dtypes.js";
import type { GgufValue } from "./metadata.js";
import {
  ARRAY_TYPE_ID,
  type MetadataType,
  NUMBER_ARRAYS,
  type NumberType,
  SCALAR_TYPE_IDS,
} from "./metadata.js";
import { elementCount } from "./tensors.js";

/** One key with its value and the type to store it as. */
export interface MetadataEntry {
  key: string;
  type: MetadataType;
  value: GgufValue;
}

/** A metadata entry copied from another file: the bytes of its key, type and value. */
export interface StoredEntry {
  key: string;
  bytes: Uint8Array;
}

/** A tensor to write, as the header describes it. */
export interface TensorShape {
  name: string;
  type: TensorType;
  /** Output-first, `[rows, cols]`. */
  shape: number[];
}

/** One tensor to write. */
export interface TensorData extends TensorShape {
  /** The stored bytes, or a function that makes them when they are written. */
  data: Uint8Array | (() => Uint8Array);
}

/**
 * The file piece by piece: the header, then each tensor as its data is made. Data is aligned to the
 * entries' uint32 general.alignment, else to 32 bytes. Throws INVALID_ARGUMENT for a value that its
 * type cannot hold, a name that comes twice, a shape that its type cannot have and data whose
 * length does not match the shape.
 */
export function* writeGguf(
  metadata: readonly MetadataEntry[],
  tensors: readonly TensorData[],
): Generator<Uint8Array> {
  const alignment = readAlignment(metadata);
  yield encodeHeader(metadata, tensors, alignment);
  for (const { name, type, shape, data } of tensors) {
    const bytes = typeof data === "function" ? data() : data;
    const expected = byteLengthOf(name, type, shape);
    if (bytes.length !== expected) {
      const message = `${bytes.length} bytes; [${shape}] of ${type} has ${expected}`;
      throw invalid(`tensor "${name}": ${message}`);
    }
    yield bytes;
    const padding = roundUp(expected, alignment) - expected;
    if (padding > 0) yield new Uint8Array(padding);
  }
}

/**
 * Everything before the first tensor's data, padding included. The data of all tensors must follow
 * in order, each padded to the alignment, which must be that of the metadata. Throws as `writeGguf`
 * does.
 */
export function encodeHeader(
  metadata: readonly (MetadataEntry | StoredEntry)[],
  tensors: readonly TensorShape[],
  alignment: number,
): Uint8Array {
  refuseRepeats(metadata.map(({ key }) => `metadata ${key}`));
  refuseRepeats(tensors.map(({ name }) => `tensor "${name}"`));
  const header = new ByteWriter();
  header.u32(0x46554747); // "GGUF"
  header.u32(3);
  header.u64(tensors.length);
  header.u64(metadata.length);
  for (const entry of metadata) {
    if ("bytes" in entry) header.append(entry.bytes);
    else writeEntry(header, entry);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    header.string(name);
    header.u32(shape.length);
    for (const size of [...shape].reverse()) header.u64(size);
    header.u32(TENSOR_TYPES[type].id);
    header.u64(offset);
    offset = roundUp(offset + byteLengthOf(name, type, shape), alignment);
  }
  header.zeros(roundUp(header.length, alignment) - header.length);
  return header.bytes();
}

/** The whole file in memory; throws as `writeGguf` does. */
export function encodeGguf(
  metadata: readonly MetadataEntry[],
  tensors: readonly TensorData[],
): Uint8Array<ArrayBuffer> {
  const pieces = [...writeGguf(metadata, tensors)];
  const file = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    file.set(piece, length);
    length += piece.length;
  }
  return file;
}

function invalid(message: string): PlmError {
  return new PlmError("INVALID_ARGUMENT", message);
}

function refuseRepeats(names: string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw invalid(`${name} comes twice`);
    seen.add(name);
  }
}

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function readAlignment(metadata: readonly MetadataEntry[]): number {
  const entry = metadata.find(({ key }) => key === "general.alignment");
  const alignment = alignmentOf(entry?.value);
  if (alignment !== undefined && (entry?.type ?? "uint32") === "uint32") return alignment;
  const got = describeValue(entry?.value);
  throw invalid(`general.alignment: expected a uint32 power of two, got ${got}`);
}

function byteLengthOf(name: string, type: TensorType, shape: number[]): number {
  const { blockSize } = TENSOR_TYPES[type];
  const sized = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!sized || shape.length > 4 || (shape.at(-1) ?? 1) % blockSize !== 0) {
    const expected = `at most 4 counts, the last a multiple of ${blockSize}`;
    throw invalid(`tensor "${name}": shape [${shape}] of ${type}; expected ${expected}`);
  }
  return tensorBytes(type, elementCount(shape));
}

function typeIdOf(type: MetadataType): number {
  return typeof type === "object" ? ARRAY_TYPE_ID : SCALAR_TYPE_IDS[type];
}

function writeEntry(out: ByteWriter, { key, type, value }: MetadataEntry): void {
  out.string(key);
  out.u32(typeIdOf(type));
  writeValue(out, type, value, key);
}

/** Writes a value without its type; arrays begin with the type of their items. */
function writeValue(out: ByteWriter, type: MetadataType, value: GgufValue, key: string): void {
  if (typeof type === "object" && typeof value === "object") {
    out.u32(typeIdOf(type.array));
    out.u64(value.length);
    for (const item of value) writeValue(out, type.array, item, key);
  } else if (type === "string" && typeof value === "string") {
    out.string(value);
  } else if (type === "bool" && typeof value === "boolean") {
    out.number("uint8", value ? 1 : 0);
  } else if (isNumberType(type) && holds(type, value)) {
    out.number(type, value);
  } else {
    const expected = typeof type === "object" ? "an array" : type;
    throw invalid(`metadata ${key}: expected ${expected}, got ${describeValue(value)}`);
  }
}

function isNumberType(type: MetadataType): type is NumberType {
  return typeof type === "string" && type in NUMBER_ARRAYS;
}

/** Whether the type can hold the value; floats may be rounded. */
function holds(type: NumberType, value: GgufValue): value is number | bigint {
  if (type === "float32" || type === "float64") return typeof value === "number";
  const bits = NUMBER_ARRAYS[type].BYTES_PER_ELEMENT * 8;
  const min = type.startsWith("u") ? 0 : -(2 ** (bits - 1));
  const max = type.startsWith("u") ? 2 ** bits : 2 ** (bits - 1);
  // Comparisons of number and bigint are exact.
  return (
    (typeof value === "bigint" || Number.isSafeInteger(value)) &&
    (value as number | bigint) >= min &&
    (value as number | bigint) < max
  );
}
