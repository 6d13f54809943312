/** Sources that any runtime can read at any offset: bytes and blobs. */

import type { ByteSource } from "../format/byte-source.js";
import { requireGlobal } from "../globals.js";
import { attempt } from "./attempt.js";
import type { BlobLike } from "./model-source.js";

/** The longest piece of a blob read at once, so that a large read makes no second copy. */
const PIECE_BYTES = 4 << 20;

/** Shorter reads take this much, for those that follow: in a browser each asks another process. */
const AHEAD_BYTES = 1 << 20;

/** Reads from bytes in memory, which must not change meanwhile. */
export class BytesSource implements ByteSource {
  readonly name: string = "bytes in memory";
  readonly size: number;
  readonly sequential = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const found = this.#bytes.subarray(offset, offset + target.length);
    target.set(found);
    return found.length;
  }

  async close(): Promise<void> {}
}

/** Whether the value is a Blob or File, of any realm. */
export function isBlob(value: object): value is BlobLike {
  const { size, slice } = value as Partial<BlobLike>;
  return typeof size === "number" && typeof slice === "function";
}

/** Reads from a Blob or File. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly #blob: BlobLike;
  /** The last bytes that were read ahead, and where they begin. */
  #ahead = { start: 0, bytes: new Uint8Array(0) };

  constructor(blob: BlobLike) {
    this.#blob = blob;
    this.name = "name" in blob ? String(blob.name) : "blob";
    this.size = blob.size;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const length = Math.max(0, Math.min(target.length, this.size - offset));
    for (let done = 0; done < length; ) {
      signal?.throwIfAborted();
      const wanted = Math.min(length - done, PIECE_BYTES);
      const piece = await this.#piece(offset + done, wanted);
      signal?.throwIfAborted();
      target.set(piece, done);
      done += piece.length;
      // The file is shorter than its blob says: it was cut in the meantime.
      if (piece.length === 0) return done;
    }
    return length;
  }

  /** At most `wanted` bytes from `start`: of those read ahead, or anew; none behind the end. */
  async #piece(start: number, wanted: number): Promise<Uint8Array> {
    const at = start - this.#ahead.start;
    if (at >= 0 && at < this.#ahead.bytes.length) {
      return this.#ahead.bytes.subarray(at, at + wanted);
    }
    const end = start + Math.max(wanted, AHEAD_BYTES);
    const bytes = new Uint8Array(await this.#bytesOf(this.#blob.slice(start, end)));
    if (wanted <= AHEAD_BYTES) this.#ahead = { start, bytes };
    return bytes.subarray(0, wanted);
  }

  #bytesOf(piece: BlobLike): Promise<ArrayBuffer> {
    return attempt(this.name, async () =>
      typeof piece.arrayBuffer === "function" ? piece.arrayBuffer() : readOld(piece),
    );
  }

  async close(): Promise<void> {
    this.#ahead = { start: 0, bytes: new Uint8Array(0) };
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
