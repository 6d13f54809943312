/** Reads forward through a stream; a source that does only that. */
import platform from "#platform";
import { abortable } from "../abortable.js";
import { bytesOf } from "../brands.js";
import { kindOf } from "../describe.js";
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { type ChunkReader, type ChunkSource, readerOf } from "./chunk-reader.js";
import { describeCause } from "./describe-cause.js";

/** A stream of bytes with a position. An aborted read loses nothing: the next one continues. */
export class ForwardReader {
  /** For messages. */
  readonly name: string;
  /** Offset of the next byte. */
  position: number;
  readonly #reader: ChunkReader;
  readonly #areOwn: boolean;
  #chunk: Uint8Array = new Uint8Array(0);
  #pending: ReturnType<ChunkReader["read"]> | undefined;

  /**
   * With chunks that are freed once they are copied if they are the package's own. Throws
   * INVALID_ARGUMENT for a stream that already has a reader.
   */
  constructor(source: ChunkSource, name: string, position = 0, areOwn = false) {
    this.#areOwn = areOwn;
    this.name = name;
    this.position = position;
    this.#reader = readerOf(source, name);
  }

  /** Moves on to `offset`, or to the stream's end; `offset` must not lie behind. */
  async skipTo(offset: number, signal?: AbortSignal): Promise<void> {
    while (this.position < offset && (await this.#fill(signal))) {
      this.#advance(Math.min(this.#chunk.length, offset - this.position));
    }
  }

  /**
   * Fills `target` and returns the number of bytes, less only at the stream's end. After a throw,
   * `position` says how far the read came.
   */
  async read(target: Uint8Array, signal?: AbortSignal): Promise<number> {
    let done = 0;
    while (done < target.length && (await this.#fill(signal))) {
      const length = Math.min(this.#chunk.length, target.length - done);
      target.set(this.#chunk.subarray(0, length), done);
      this.#advance(length);
      done += length;
    }
    return done;
  }

  /** Ends the stream early. Never rejects. */
  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  #advance(length: number): void {
    const chunk = this.#chunk;
    this.#chunk = chunk.subarray(length);
    this.position += length;
    if (this.#areOwn && this.#chunk.length === 0) platform.freeBuffer(chunk.buffer);
  }

  /** Whether there is a byte to read; waits for one unless the stream has ended. */
  async #fill(signal?: AbortSignal): Promise<boolean> {
    while (this.#chunk.length === 0) {
      this.#pending ??= this.#reader.read();
      const { done, value } = await this.#settle(this.#pending, signal);
      this.#pending = undefined;
      if (done) return false;
      const chunk = bytesOf(this.name, value);
      if (chunk === undefined) {
        const message = `${this.name}: expected chunks of bytes, got ${kindOf(value)}`;
        throw new PlmError("INVALID_ARGUMENT", message);
      }
      this.#chunk = chunk;
    }
    return true;
  }

  async #settle<T>(pending: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await abortable(pending, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      if (PlmError.from(cause) !== undefined) throw cause;
      throw new PlmError("UNREADABLE_FILE", `${this.name}: ${describeCause(cause)}`, { cause });
    }
  }
}

/** Reads from a stream or an iterable; offsets must not go backwards. */
export class StreamSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly sequential = true;
  readonly #reader: ForwardReader;

  /** As ForwardReader's constructor. */
  constructor(source: ChunkSource, name: string, size?: number, areOwn = false) {
    this.name = name;
    this.size = size;
    this.#reader = new ForwardReader(source, name, 0, areOwn);
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const { position } = this.#reader;
    if (offset < position) {
      const message = `${this.name}: cannot go back to byte ${offset} from byte ${position}`;
      throw new PlmError("INVALID_ARGUMENT", message);
    }
    await this.#reader.skipTo(offset, signal);
    return this.#reader.read(target, signal);
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}
