/** The bytes of a checkpoint as GGUF, piece by piece, for writing. */
import { PlmError, quote } from "../errors.js";
import { TENSOR_TYPES } from "../format/dtypes.js";
import type { Gguf } from "../format/gguf.js";
import { areLoadable, type DequantizedType, type QuantizedType } from "../format/quantize.js";
import type { TensorInfo } from "../format/tensors.js";

/** The size in bytes that a piece aims at; at least one row. */
const PIECE_BYTES = 4 << 20;

/**
 * A whole file that `openCheckpoint` gave; a piece is valid until the next is requested. Throws
 * INVALID_FILE for weights that could not be loaded, and what the sources throw.
 */
export async function* ggufPieces(gguf: Gguf, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const [source] = gguf.sources;
  const tensors = [...gguf.tensors.values()].sort((a, b) => a.offset - b.offset);
  let end = 0;
  let buffer = new Uint8Array(0);
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (buffer.length < length) buffer = new Uint8Array(length);
    const bytes = buffer.subarray(0, length);
    await source.read(offset, bytes, signal);
    return bytes;
  };
  for (const tensor of tensors) {
    // The header or the padding before it.
    if (tensor.offset > end) yield read(end, tensor.offset - end);
    end = tensor.offset + tensor.byteLength;
    const step = pieceBytesOf(tensor);
    for (let at = tensor.offset; at < end; at += step) {
      const bytes = await read(at, Math.min(step, end - at));
      checkLoadable(tensor, bytes, source.name);
      yield bytes;
    }
  }
  if (source.size! > end) yield read(end, source.size! - end);
}

/** Whole rows. */
function pieceBytesOf({ type, shape }: TensorInfo): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const rowBytes = (shape[shape.length - 1] / blockSize) * blockBytes;
  return Math.max(1, Math.floor(PIECE_BYTES / rowBytes)) * rowBytes;
}

function checkLoadable({ name, type }: TensorInfo, bytes: Uint8Array, file: string): void {
  // A checkpoint becomes no other types.
  if (areLoadable(type as DequantizedType | QuantizedType, bytes)) return;
  const message = "expected finite weights, got NaN or infinity";
  throw new PlmError("INVALID_FILE", `${file}: tensor ${quote(name)}: ${message}`);
}
