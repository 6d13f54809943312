/** Reads Blobs and Files, of any realm. */
import platform from "#platform";
import type { ByteSource } from "../format/byte-source.js";
import { requireGlobal } from "../globals.js";
import { readerOf } from "./chunk-reader.js";
import type { BlobLike, Bytes, StreamLike } from "./model-source.js";
import { ForwardReader } from "./stream-source.js";

/** What one stream covers: runtimes that do not fill buffers may copy all of it at once. */
const STREAM_BYTES = platform.fillsBuffers ? 256 << 20 : 16 << 20;

/** The buffer that a stream fills again and again: engines collect new ones late. */
const BUFFER_BYTES = 1 << 20;

/** Gaps that are read over: in a browser, a new stream asks another process. */
const MOST_SKIPPED_BYTES = 1 << 20;

/** Whether the value is a Blob or File, of any realm. */
export function isBlob(value: object): value is BlobLike {
  const { size, slice } = value as Partial<BlobLike>;
  return typeof size === "number" && typeof slice === "function";
}

/** Reads from a Blob or File. Reads that follow each other are one stream, the fastest way. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly #blob: BlobLike;
  /** The stream, unless it is being read. */
  #reader: ForwardReader | undefined;

  constructor(blob: BlobLike) {
    this.#blob = blob;
    this.name = "name" in blob ? String(blob.name) : "blob";
    this.size = blob.size;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const wanted = target.subarray(0, Math.max(0, this.size - offset));
    if (wanted.length === 0) return 0;
    const reader = this.#takeReader(offset);
    try {
      await reader.skipTo(offset, signal);
      const count = await reader.read(wanted, signal);
      if (this.#reader === undefined) this.#reader = reader;
      return count;
    } finally {
      if (this.#reader !== reader) void reader.cancel();
    }
  }

  /** The stream, if it comes by `offset` soon, or a new one. */
  #takeReader(offset: number): ForwardReader {
    const reader = this.#reader;
    this.#reader = undefined;
    const skipped = offset - (reader?.position ?? Infinity);
    if (reader !== undefined && skipped >= 0 && skipped <= MOST_SKIPPED_BYTES) return reader;
    void reader?.cancel();
    // A buffer that is filled again stays.
    const areOwn = !platform.fillsBuffers;
    return new ForwardReader(chunksOf(this.#blob, offset), this.name, offset, areOwn);
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.cancel();
  }
}

/** A stream's reader that fills the caller's buffers. */
interface FillingReader {
  /** At the end of the stream, the last bytes may come along with `done`. */
  read(
    into: Uint8Array,
    options: { readonly min: number },
  ): Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }>;
  cancel(): Promise<unknown>;
}

/** The streams of blobs: of bytes in most runtimes. */
type BlobStream = StreamLike & { getReader(options: { mode: "byob" }): FillingReader };

/** The bytes of a blob from an offset on; a chunk lasts until the next is requested. */
async function* chunksOf(blob: BlobLike, offset: number): AsyncGenerator<Bytes> {
  let buffer: ArrayBuffer | undefined;
  for (let start = offset; start < blob.size; start += STREAM_BYTES) {
    const piece: BlobLike & { stream?(): BlobStream } = blob.slice(start, start + STREAM_BYTES);
    if (typeof piece.stream !== "function") {
      yield typeof piece.arrayBuffer === "function" ? await piece.arrayBuffer() : readOld(piece);
      continue;
    }
    const stream = piece.stream();
    const filling = fillingReaderOf(stream);
    if (filling === undefined) {
      yield* chunksOfStream(stream);
      continue;
    }
    buffer ??= new ArrayBuffer(BUFFER_BYTES);
    try {
      for (let isOver = false; !isOver; ) {
        // Without `min`, megabytes of small results wait to be collected.
        const { done, value } = await filling.read(new Uint8Array(buffer), { min: BUFFER_BYTES });
        if (value !== undefined) {
          buffer = value.buffer;
          yield value;
        }
        isOver = done;
      }
    } finally {
      await filling.cancel().catch(() => undefined);
    }
  }
}

/** Undefined where it would not pay, and for a stream that is not of bytes. */
function fillingReaderOf(stream: BlobStream): FillingReader | undefined {
  if (!platform.fillsBuffers) return undefined;
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

async function* chunksOfStream(stream: StreamLike): AsyncGenerator<Bytes> {
  const reader = readerOf(stream, "blob");
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value as Bytes;
    }
  } finally {
    await reader.cancel();
  }
}

/** The bytes of a blob without a method for them, as in older jsdom. */
function readOld(blob: BlobLike): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new (requireGlobal("FileReader"))();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob as Blob);
  });
}
