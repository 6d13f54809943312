/** A source of bytes that records how it is used. */
import type { ByteSource } from "../../../src/format/byte-source.js";

/** Whether a source knows its length, ends without knowing it, or continues with zeros. */
export type SourceEnd = "known" | "unknown" | "never";

/** Reads from memory, later: every read takes a turn of the event loop. */
export class ObservedSource implements ByteSource {
  readonly name: string = "observed";
  readonly size: number | undefined;
  readonly sequential = false;
  reads = 0;
  /** Reads that have not settled. */
  pending = 0;
  closed = 0;
  /** The most bytes requested at once. */
  largestRead = 0;
  /** Called before each read. */
  onRead: () => void = () => {};
  readonly #bytes: Uint8Array;
  readonly #endless: boolean;

  constructor(bytes: Uint8Array, end: SourceEnd = "known") {
    this.#bytes = bytes;
    this.#endless = end === "never";
    this.size = end === "known" ? bytes.length : undefined;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    this.reads++;
    this.pending++;
    this.largestRead = Math.max(this.largestRead, target.length);
    try {
      this.onRead();
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      const found = this.#bytes.subarray(offset, offset + target.length);
      target.set(found);
      return this.#endless ? target.length : found.length;
    } finally {
      this.pending--;
    }
  }

  async close(): Promise<void> {
    this.closed++;
  }
}
