/** Reads bytes in memory. */

import type { ByteSource } from "../format/byte-source.js";

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
