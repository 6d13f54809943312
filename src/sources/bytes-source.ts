/** Sources that any runtime can read at any offset: bytes and blobs. */

import type { ByteSource } from "../format/byte-source.js";
import { requireGlobal } from "../globals.js";
import { attempt } from "./attempt.js";
import type { BlobLike } from "./model-source.js";

/** The longest piece of a blob read at once, so that a large read makes no second copy. */
const PIECE_BYTES = 4 << 20;

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

  constructor(blob: BlobLike) {
    this.#blob = blob;
    this.name = "name" in blob ? String(blob.name) : "blob";
    this.size = blob.size;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const length = Math.max(0, Math.min(target.length, this.size - offset));
    for (let done = 0; done < length; ) {
      signal?.throwIfAborted();
      const start = offset + done;
      const wanted = Math.min(length - done, PIECE_BYTES);
      const piece = await this.#bytesOf(this.#blob.slice(start, start + wanted));
      signal?.throwIfAborted();
      target.set(new Uint8Array(piece).subarray(0, wanted), done);
      done += Math.min(piece.byteLength, wanted);
      // The file is shorter than its blob says: it was cut in the meantime.
      if (piece.byteLength < wanted) return done;
    }
    return length;
  }

  #bytesOf(piece: BlobLike): Promise<ArrayBuffer> {
    return attempt(this.name, async () =>
      typeof piece.arrayBuffer === "function" ? piece.arrayBuffer() : readOld(piece),
    );
  }

  async close(): Promise<void> {}
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
