/** Sources that can be read at any offset without a runtime's help: bytes and blobs. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "./source.js";

/** One piece of a blob is at most this long, so that no second copy of a large read is made. */
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

/** Reads from a Blob or File. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly #blob: Blob;

  constructor(blob: Blob) {
    this.#blob = blob;
    this.name = "name" in blob ? String(blob.name) : "blob";
    this.size = blob.size;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const length = Math.max(0, Math.min(target.length, this.size - offset));
    for (let done = 0; done < length; ) {
      signal?.throwIfAborted();
      const start = offset + done;
      const piece = this.#blob.slice(start, start + Math.min(length - done, PIECE_BYTES));
      target.set(new Uint8Array(await this.#bytesOf(piece)), done);
      done += piece.size;
    }
    signal?.throwIfAborted();
    return length;
  }

  async #bytesOf(piece: Blob): Promise<ArrayBuffer> {
    try {
      return await piece.arrayBuffer();
    } catch (cause) {
      throw new PlmError("UNREADABLE_FILE", `${this.name}: ${cause}`, { cause });
    }
  }

  async close(): Promise<void> {}
}
