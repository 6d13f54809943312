/** The tensor table of a GGUF header: reads it and checks it against the file. */
import { PlmError, quote } from "../errors.js";
import type { Cursor } from "./cursor.js";
import {
  describeTensorType,
  TENSOR_TYPES,
  type TensorType,
  tensorBytes,
  tensorTypeOfId,
} from "./dtypes.js";

/** A tensor's type, shape and place. */
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

const MAX_DIMENSIONS = 4;

/** The fewest bytes of an entry: name length, dimension count, type, offset. */
export const MIN_TENSOR_BYTES: number = 8 + 4 + 4 + 8;

/**
 * Reads one tensor's entry. Its offset counts from the start of the data, and `file` is 0. A tensor
 * without dimensions has one element, one with a dimension of 0 none.
 */
export function readTensor(cursor: Cursor): TensorInfo {
  const name = cursor.identifier();
  cursor.context = `tensor ${quote(name)}`;
  const dimensions = cursor.u32();
  if (dimensions > MAX_DIMENSIONS) {
    throw cursor.invalid(`${dimensions} dimensions; expected at most ${MAX_DIMENSIONS}`);
  }
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) {
    const size = cursor.u64();
    if (typeof size === "bigint") throw cursor.invalid(`a dimension of ${size}`);
    shape.unshift(size);
  }
  const typeId = cursor.u32();
  const type = tensorTypeOfId(typeId);
  if (type === undefined) {
    const known = Object.keys(TENSOR_TYPES).join(", ");
    const message = `type ${describeTensorType(typeId)} is not supported; expected one of ${known}`;
    throw cursor.unsupported(message);
  }
  const offset = cursor.u64();
  if (typeof offset === "bigint") throw cursor.invalid(`offset ${offset} is past any file`);
  const { blockSize } = TENSOR_TYPES[type];
  const rowLength = shape.at(-1) ?? 1;
  if (rowLength % blockSize !== 0) {
    throw cursor.invalid(`rows of ${rowLength} elements; ${type} needs a multiple of ${blockSize}`);
  }
  // A product beyond 2^53 is rounded, yet never down to below it.
  const byteLength = tensorBytes(type, elementCount(shape));
  if (!Number.isSafeInteger(byteLength)) {
    throw cursor.invalid(`shape [${shape}] is larger than any file`);
  }
  return { name, type, shape, offset, byteLength, file: 0 };
}

/** Elements of a tensor of this shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Where a file's tensor data starts, its alignment, and where the file ends, if known. */
export interface DataSection {
  start: number;
  alignment: number;
  size: number | undefined;
}

/**
 * Makes the tensor offsets of one file count from its start. Throws INVALID_FILE if a tensor is
 * misaligned, overlaps another or reaches past the end.
 */
export function placeTensors(tensors: TensorInfo[], data: DataSection, fileName: string): void {
  const fail = (tensor: TensorInfo, message: string): never => {
    throw new PlmError("INVALID_FILE", `${fileName}: tensor ${quote(tensor.name)}: ${message}`);
  };
  for (const tensor of tensors) {
    if (tensor.offset % data.alignment !== 0) {
      fail(tensor, `offset ${tensor.offset} is not a multiple of ${data.alignment}`);
    }
    tensor.offset += data.start;
    const end = tensor.offset + tensor.byteLength;
    if (!Number.isSafeInteger(end)) fail(tensor, `its end, ${end}, is past any file`);
    if (data.size !== undefined && end > data.size) {
      fail(tensor, `ends at byte ${end}, but the file has ${data.size} bytes`);
    }
  }
  const inOrder = tensors.filter(({ byteLength }) => byteLength > 0);
  inOrder.sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < inOrder.length; i++) {
    const before = inOrder[i - 1];
    if (inOrder[i].offset < before.offset + before.byteLength) {
      fail(inOrder[i], `overlaps tensor ${quote(before.name)}`);
    }
  }
}
