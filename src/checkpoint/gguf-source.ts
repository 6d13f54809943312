/** A checkpoint as the bytes of a GGUF file, which are made when they are read. */
import { PlmError, quote } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { areLoadable, dequantize, type QuantizedType, quantize } from "../format/quantize.js";
import { encodeHeader, type MetadataEntry, roundUp } from "../format/writer.js";
import { rowBytesOf, storedRowOf, type VirtualTensor } from "./tensors.js";

/** Of tensors' data, in bytes: the format's default. */
const ALIGNMENT = 32;

/** Values that are converted together, at least one row. */
const CHUNK_VALUES = 1 << 20;

/** A tensor's place in the file. */
interface Placed {
  readonly tensor: VirtualTensor;
  readonly offset: number;
  readonly byteLength: number;
}

/**
 * Reads any bytes of the file. Rows of a tensor are converted together, so that reads of whole rows
 * convert each value once. Throws INVALID_FILE for weights that their type cannot hold.
 */
export class GgufSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly isRemote: boolean;
  readonly #header: Uint8Array;
  readonly #places: Placed[] = [];
  #stored = new Uint8Array(0);
  #values = new Float32Array(0);
  #rows = new Uint8Array(0);

  /** The sources of the tensors stay the caller's. */
  constructor(name: string, metadata: readonly MetadataEntry[], tensors: readonly VirtualTensor[]) {
    this.name = name;
    this.isRemote = tensors.some(({ stored }) => stored.source.isRemote);
    this.#header = encodeHeader(metadata, tensors, ALIGNMENT);
    let end = this.#header.length;
    for (const tensor of tensors) {
      const byteLength = tensor.rows * rowBytesOf(tensor).made;
      this.#places.push({ tensor, offset: end, byteLength });
      end = roundUp(end + byteLength, ALIGNMENT);
    }
    this.size = end;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const length = Math.max(0, Math.min(target.length, this.size - offset));
    const header = this.#header.subarray(offset, offset + length);
    target.set(header);
    let done = header.length;
    while (done < length) {
      signal?.throwIfAborted();
      done += await this.#readData(offset + done, target.subarray(done, length), signal);
    }
    return length;
  }

  async close(): Promise<void> {}

  /** The same header, with zeros for tensors' data: a reader of headers may read beyond. */
  withoutData(): ByteSource {
    const { name, size, sequential, close } = this;
    const read = async (offset: number, target: Uint8Array): Promise<number> => {
      const length = Math.max(0, Math.min(target.length, size - offset));
      const header = this.#header.subarray(offset, offset + length);
      target.set(header);
      target.fill(0, header.length, length);
      return length;
    };
    return { name, size, sequential, read, close };
  }

  /** Fills the beginning of `target`; returns how much. */
  async #readData(position: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const { tensor, offset, byteLength } = this.#placeAt(position);
    const from = position - offset;
    if (from >= byteLength) {
      const padding = Math.min(target.length, roundUp(byteLength, ALIGNMENT) - from);
      target.fill(0, 0, padding);
      return padding;
    }
    const most = Math.min(target.length, byteLength - from);
    const { made: rowBytes } = rowBytesOf(tensor);
    const first = Math.floor(from / rowBytes);
    const step = Math.max(1, Math.floor(CHUNK_VALUES / tensor.cols));
    const last = Math.min(first + step, Math.ceil((from + most) / rowBytes));
    const skipped = from - first * rowBytes;
    const bytes = Math.min(most, (last - first) * rowBytes - skipped);
    const isWhole = bytes === (last - first) * rowBytes;
    const rows = isWhole ? target.subarray(0, bytes) : this.#rowsOf((last - first) * rowBytes);
    await this.#makeRows(tensor, first, last, rows, signal);
    if (!isWhole) target.set(rows.subarray(skipped, skipped + bytes));
    return bytes;
  }

  /** The last tensor that begins at or before the position. */
  #placeAt(position: number): Placed {
    let [low, high] = [0, this.#places.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#places[middle].offset <= position) low = middle;
      else high = middle;
    }
    return this.#places[low];
  }

  /** Writes rows `first` to `last` of a tensor into `out`, which has exactly their length. */
  async #makeRows(
    tensor: VirtualTensor,
    first: number,
    last: number,
    out: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const { made, stored } = rowBytesOf(tensor);
    const isCopied = tensor.type === tensor.storedType;
    if (tensor.reordered === undefined) {
      if (isCopied) return readStored(tensor, first * stored, out, signal);
      const bytes = this.#bytesOf((last - first) * stored);
      await readStored(tensor, first * stored, bytes, signal);
      return this.#convert(tensor, bytes, out);
    }
    const order = Array.from({ length: last - first }, (_, i) => storedRowOf(tensor, first + i));
    const low = Math.min(...order);
    const bytes = this.#bytesOf((Math.max(...order) + 1 - low) * stored);
    await readStored(tensor, low * stored, bytes, signal);
    order.forEach((row, i) => {
      const from = bytes.subarray((row - low) * stored, (row - low + 1) * stored);
      const to = out.subarray(i * made, (i + 1) * made);
      if (isCopied) to.set(from);
      else this.#convert(tensor, from, to);
    });
  }

  #convert(tensor: VirtualTensor, bytes: Uint8Array, out: Uint8Array): void {
    const { type, storedType, cols } = tensor;
    const count = (bytes.length / rowBytesOf(tensor).stored) * cols;
    if (this.#values.length < count) this.#values = new Float32Array(count);
    const values = this.#values.subarray(0, count);
    dequantize(storedType, bytes, values);
    if (type === "F32") {
      out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return;
    }
    const quantized = type as QuantizedType;
    if (quantize(quantized, values, out) && areLoadable(quantized, out)) return;
    const where = `${tensor.stored.source.name}: tensor ${quote(tensor.storedName)}`;
    const expected = `expected finite weights that ${type} can hold`;
    const message = `${where}: ${expected}, got NaN, infinity or a larger one`;
    throw new PlmError("INVALID_FILE", message);
  }

  #bytesOf(length: number): Uint8Array {
    if (this.#stored.length < length) this.#stored = new Uint8Array(length);
    return this.#stored.subarray(0, length);
  }

  #rowsOf(length: number): Uint8Array {
    if (this.#rows.length < length) this.#rows = new Uint8Array(length);
    return this.#rows.subarray(0, length);
  }
}

/** Fills `target` with the tensor's stored bytes from `from` on. */
async function readStored(
  { stored, storedName }: VirtualTensor,
  from: number,
  target: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source, offset } = stored;
  const read = await source.read(offset + from, target, signal);
  if (read === target.length) return;
  const expected = `expected ${target.length} bytes at ${offset + from}`;
  const message = `${source.name}: tensor ${quote(storedName)}: ${expected}, got ${read}`;
  throw new PlmError("INVALID_FILE", message);
}
