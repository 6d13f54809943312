/**
 * Downloads a file block by block, ahead of its reader. Blocks that the store has are read from it;
 * the others are stored beside.
 */
import { abortable } from "../abortable.js";
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { Sha256 } from "../format/sha256.js";
import { requireGlobal } from "../globals.js";
import { BLOCK_BYTES, blockCount, blockLength } from "../store/manifest.js";
import type { StoreWriter } from "../store/store-writer.js";
import { unreadable } from "./http-connection.js";

/** Callbacks of a download. */
export interface DownloadWatch {
  /** Called with the bytes of blocks that are there, of all. */
  onProgress(loadedBytes: number, totalBytes: number): void;
}

export interface DownloadParts {
  readonly size: number;
  /** What the file must hash to, and a hash of no bytes yet. */
  readonly expected: { readonly sha256: string; readonly hash: Sha256 } | undefined;
  /** What stores blocks, or why nothing does. */
  readonly writer?: StoreWriter;
  readonly storeFailure?: PlmError;
  /** Most blocks that are downloaded at once. */
  readonly lanes: number;
  readonly watch: DownloadWatch | undefined;
  /** Called before blocks are requested. */
  readonly onConnect: () => Promise<void>;
}

/** A block on its way, or there. */
interface Block {
  readonly bytes: Promise<Uint8Array>;
  /** Settles when the buffer is no longer read. */
  readonly stored: Promise<void>;
}

function createAbort(): AbortController {
  return new (requireGlobal("AbortController"))();
}

export class DownloadSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential: boolean;
  readonly isRemote = true;
  readonly #parts: DownloadParts;
  readonly #createLane: () => ByteSource;
  /** Connections without a block to fetch. */
  readonly #idle: ByteSource[];
  readonly #lanes = new Set<ByteSource>();
  readonly #blocks = new Map<number, Block>();
  /** Buffers to use again: some engines do not collect such arrays soon. */
  readonly #buffers: Uint8Array[] = [];
  /** Ends what is on its way. */
  #ending = createAbort();
  /** The last block that was read, and how many were read from the first on. */
  #last = -1;
  #passed = 0;
  #loadedBytes = 0;
  #closing: Promise<void> | undefined;

  /** With its first connection, and what makes others. */
  constructor(lane: ByteSource, createLane: () => ByteSource, parts: DownloadParts) {
    this.name = lane.name;
    this.size = parts.size;
    this.sequential = lane.sequential;
    this.#parts = parts;
    this.#createLane = createLane;
    this.#idle = [lane];
    this.#lanes.add(lane);
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const wanted = Math.max(0, Math.min(target.length, this.size - offset));
    for (let done = 0; done < wanted; ) {
      signal?.throwIfAborted();
      const index = Math.floor((offset + done) / BLOCK_BYTES);
      const block = await this.#read(index, signal);
      const bytes = block.subarray(offset + done - index * BLOCK_BYTES);
      target.set(bytes.subarray(0, wanted - done), done);
      done += Math.min(bytes.length, wanted - done);
    }
    return wanted;
  }

  /**
   * Reads what is left, so that the copy is whole and checked. Throws INVALID_FILE unless the file
   * hashes as it should; nothing is stored then.
   */
  async finish(signal?: AbortSignal): Promise<void> {
    const { expected, writer } = this.#parts;
    if (expected === undefined && writer === undefined) return;
    for (let i = this.#passed; i < blockCount(this.size); i++) await this.#read(i, signal);
    const found = expected?.hash.digest();
    if (found !== expected?.sha256) {
      const message = `${this.name}: expected the SHA-256 ${expected?.sha256}, got ${found}`;
      const error = new PlmError("INVALID_FILE", message);
      await writer?.abandon(error);
      throw error;
    }
    await writer?.complete();
  }

  /** Why the file is not stored though it should be; undefined if it is, or should not. */
  get storeFailure(): PlmError | undefined {
    return this.#parts.storeFailure ?? this.#parts.writer?.failure;
  }

  /** Drops the connections; the next read makes others. */
  async disconnect(): Promise<void> {
    this.#ending.abort(new Error("the connection was dropped"));
    this.#ending = createAbort();
    this.#blocks.clear();
    await Promise.all(Array.from(this.#lanes, (lane) => lane.close()));
  }

  close(): Promise<void> {
    this.#closing ??= this.disconnect().then(() => this.#parts.writer?.close());
    return this.#closing;
  }

  /** A block's bytes. Those after it are requested if it is read in order. */
  async #read(index: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    await this.#parts.onConnect();
    const isNext = index === this.#last + 1 || index === this.#last;
    const ahead = isNext && this.#last >= 0 ? this.#parts.lanes : 1;
    await this.#release(index);
    const end = Math.min(index + ahead, blockCount(this.size));
    for (let i = index; i < end; i++) this.#request(i);
    try {
      const bytes = await abortable(this.#blocks.get(index)!.bytes, signal);
      this.#last = index;
      if (index === this.#passed) {
        this.#passed++;
        this.#parts.expected?.hash.update(bytes);
      }
      return bytes;
    } catch (error) {
      if (!signal?.aborted) this.#blocks.delete(index);
      throw error;
    }
  }

  /** Forgets blocks that lie before one that is read, once they are stored. */
  async #release(index: number): Promise<void> {
    for (const [i, { bytes, stored }] of this.#blocks) {
      if (i >= index) continue;
      this.#blocks.delete(i);
      try {
        await stored;
        this.#buffers.push(new Uint8Array((await bytes).buffer));
      } catch {
        // It was requested ahead and is not wanted.
      }
    }
  }

  #request(index: number): void {
    if (this.#blocks.has(index)) return;
    const buffer = this.#buffers.pop() ?? new Uint8Array(BLOCK_BYTES);
    const target = buffer.subarray(0, blockLength(this.size, index));
    const { signal } = this.#ending;
    const bytes = this.#load(index, target, signal);
    const stored = bytes.then((loaded) => this.#parts.writer?.write(index, loaded));
    // Whoever reads the block sees the failure.
    stored.catch(() => undefined);
    this.#blocks.set(index, { bytes, stored });
  }

  /** Fills the target from the store or by a request. */
  async #load(index: number, target: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { writer, watch } = this.#parts;
    const isStored = writer?.has(index) && (await writer.read(index, target));
    if (!isStored) await this.#download(index, target, signal);
    this.#loadedBytes += target.length;
    watch?.onProgress(Math.min(this.#loadedBytes, this.size), this.size);
    return target;
  }

  async #download(index: number, target: Uint8Array, signal: AbortSignal): Promise<void> {
    const lane = this.#idle.pop() ?? this.#createLane();
    this.#lanes.add(lane);
    const offset = index * BLOCK_BYTES;
    try {
      const read = await lane.read(offset, target, signal);
      if (read < target.length) {
        const problem = `expected ${this.size} bytes, the file ends at ${offset + read}`;
        throw unreadable(this.name, problem);
      }
    } finally {
      this.#idle.push(lane);
    }
  }
}
