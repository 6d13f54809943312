/** Reads the header of one GGUF file through a window that grows with the bytes actually read. */
import { describeValue } from "../describe.js";
import { PlmError, quote } from "../errors.js";
import { alignmentOf } from "./alignment.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteRange } from "./cursor.js";
import { Cursor, NeedsMoreBytes } from "./cursor.js";
import { KeptSource } from "./kept-source.js";
import type { GgufValue } from "./metadata.js";
import { MIN_ENTRY_BYTES, readEntry } from "./metadata.js";
import type { TensorInfo } from "./tensors.js";
import { MIN_TENSOR_BYTES, placeTensors, readTensor } from "./tensors.js";

/** The window starts at a share of the file, within these limits, and doubles. */
const WINDOW_SHARE = 1 / 16;
const LEAST_WINDOW_BYTES = 1 << 16;
const MOST_WINDOW_BYTES = 1 << 20;

/**
 * The longest header; PLM-1.8B's has 6 MB. It bounds what is read of a stream without a length, and
 * what a hostile file can do with many tiny keys.
 */
const MAX_HEADER_BYTES = 64 << 20;

const MAGIC = 0x46554747; // "GGUF"

/** The contents of one file's header. */
export interface Header {
  version: number;
  metadata: Map<string, GgufValue>;
  metadataRanges: Map<string, ByteRange>;
  tensors: TensorInfo[];
  /** The source to read tensor data from. */
  source: ByteSource;
}

/** Reads the header of one file, and checks what can be checked without the other parts. */
export async function readHeader(source: ByteSource, signal?: AbortSignal): Promise<Header> {
  const window = new HeaderWindow(source, signal);
  const { version, tensorCount, entryCount } = await window.next(readCounts);

  const metadata = new Map<string, GgufValue>();
  const metadataRanges = new Map<string, ByteRange>();
  for (let i = 0; i < entryCount; i++) {
    const offset = window.cursor.position;
    const [key, value] = await window.next((cursor) => {
      cursor.context = `metadata key ${i + 1} of ${entryCount}`;
      return readEntry(cursor);
    });
    if (metadata.has(key)) throw window.cursor.invalid("the key comes twice");
    metadata.set(key, value);
    metadataRanges.set(key, { offset, byteLength: window.cursor.position - offset });
  }

  const tensors = new Map<string, TensorInfo>();
  for (let i = 0; i < tensorCount; i++) {
    const tensor = await window.next((cursor) => {
      cursor.context = `tensor ${i + 1} of ${tensorCount}`;
      return readTensor(cursor);
    });
    if (tensors.has(tensor.name)) throw window.cursor.invalid("the name comes twice");
    tensors.set(tensor.name, tensor);
  }

  const alignment = readAlignment(metadata, source.name);
  const start = Math.ceil(window.cursor.position / alignment) * alignment;
  const list = [...tensors.values()];
  placeTensors(list, { start, alignment, size: window.size }, source.name);
  return { version, metadata, metadataRanges, tensors: list, source: window.dataSource() };
}

interface Counts {
  version: number;
  tensorCount: number;
  entryCount: number;
}

/** The fixed start of every version except the first. */
function readCounts(cursor: Cursor): Counts {
  const magic = cursor.u32();
  if (magic !== MAGIC) {
    const start = String.fromCharCode(...[0, 8, 16, 24].map((shift) => (magic >>> shift) & 255));
    throw cursor.invalid(`not a GGUF file: it starts with ${quote(start)} instead of "GGUF"`);
  }
  const version = cursor.u32();
  if (version !== 0 && (version & 0xffff) === 0) {
    throw cursor.unsupported("a big-endian file; only little-endian ones can be read");
  }
  if (version !== 2 && version !== 3) {
    throw cursor.unsupported(`GGUF version ${version}; expected 2 or 3`);
  }
  const tensorCount = cursor.count(MIN_TENSOR_BYTES, "tensors");
  const entryCount = cursor.count(MIN_ENTRY_BYTES, "metadata keys");
  return { version, tensorCount, entryCount };
}

function readAlignment(metadata: Map<string, GgufValue>, fileName: string): number {
  const value = metadata.get("general.alignment");
  const alignment = alignmentOf(value);
  if (alignment !== undefined && alignment <= MAX_HEADER_BYTES) return alignment;
  const expected = `a power of two from 1 to ${MAX_HEADER_BYTES}`;
  const message = `${fileName}: general.alignment is ${describeValue(value)}, not ${expected}`;
  throw new PlmError("INVALID_FILE", message);
}

/** The first bytes of a file, as many as needed so far. */
class HeaderWindow {
  readonly cursor: Cursor;
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  #bytes = new Uint8Array(0);
  /** The file's length, if known from the start or once its end was reached. */
  size: number | undefined;

  constructor(source: ByteSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    this.size = source.size;
    this.cursor = new Cursor(source.name);
    this.cursor.setBytes(this.#bytes, this.#limit());
  }

  /** Runs `parse`, again from the same position whenever it needs more of the file. */
  async next<T>(parse: (cursor: Cursor) => T): Promise<T> {
    const { position, nestedArrays } = this.cursor;
    for (;;) {
      try {
        return parse(this.cursor);
      } catch (error) {
        if (!(error instanceof NeedsMoreBytes)) throw error;
        Object.assign(this.cursor, { position, nestedArrays });
        await this.#grow();
      }
    }
  }

  /** The source itself, or one that also serves the bytes read past the header. */
  dataSource(): ByteSource {
    if (!this.#source.sequential) return this.#source;
    const start = this.cursor.position;
    return new KeptSource(this.#source, start, this.#bytes.slice(start), this.size);
  }

  #limit(): number {
    return Math.min(this.size ?? MAX_HEADER_BYTES, MAX_HEADER_BYTES);
  }

  /** Reads on to twice the length: allocation depends on the bytes that came, not on any claim. */
  async #grow(): Promise<void> {
    const have = this.#bytes.length;
    const share = Math.min((this.size ?? Infinity) * WINDOW_SHARE, MOST_WINDOW_BYTES);
    const first = Math.max(Math.ceil(share), LEAST_WINDOW_BYTES);
    const length = Math.min(Math.max(have * 2, first), this.#limit());
    const bytes = new Uint8Array(length);
    bytes.set(this.#bytes);
    const bytesRead = await this.#source.read(have, bytes.subarray(have), this.#signal);
    if (have + bytesRead < length) this.size = have + bytesRead;
    this.#bytes = bytes.subarray(0, have + bytesRead);
    this.cursor.setBytes(this.#bytes, this.#limit());
  }
}
