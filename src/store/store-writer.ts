/** Stores a file's blocks while it is downloaded. */
import { PlmError, reasonOf } from "../errors.js";
import { crc32 } from "../format/crc32.js";
import type { FileFacts } from "./file-facts.js";
import type { EntryLock, FileStore, StoreEntry } from "./file-store.js";
import {
  BLOCK_BYTES,
  emptyManifest,
  encodeManifest,
  type Manifest,
  storedBytes,
} from "./manifest.js";
import { readManifest, readStoredBlock } from "./stored-file.js";

export class StoreWriter {
  /** The store's place, for messages. */
  readonly #place: string;
  readonly #entry: StoreEntry;
  readonly #lock: EntryLock;
  readonly #manifest: Manifest;
  #writing: Promise<void> = Promise.resolve();
  #failure: PlmError | undefined;

  private constructor(place: string, entry: StoreEntry, lock: EntryLock, manifest: Manifest) {
    this.#place = place;
    this.#entry = entry;
    this.#lock = lock;
    this.#manifest = manifest;
  }

  /**
   * Begins, or goes on where another writer stopped if `isSame` says that its file is this one.
   * The lock passes to the writer. Throws UNWRITABLE_FILE, and then stores nothing.
   */
  static async begin(
    store: FileStore,
    entry: StoreEntry,
    lock: EntryLock,
    facts: FileFacts,
    isSame: (stored: FileFacts) => boolean,
  ): Promise<StoreWriter> {
    try {
      const found = await readManifest(entry);
      const isKept = found !== undefined && isSame(found.facts);
      if (!isKept) await entry.remove();
      const manifest = isKept ? { ...found, facts, isWhole: false } : emptyManifest(facts);
      const missing = facts.size - storedBytes(manifest);
      const free = await store.freeBytes();
      if (free !== undefined && free < missing) {
        await entry.remove();
        throw new Error(`expected ${missing} free bytes, got ${free}`);
      }
      await entry.writeManifest(encodeManifest(manifest));
      return new StoreWriter(store.place, entry, lock, manifest);
    } catch (cause) {
      await entry.close();
      await lock.release();
      throw unwritable(facts.source, store.place, cause);
    }
  }

  /** Why nothing more is stored: no room, or a failing disk. What was stored is gone then. */
  get failure(): PlmError | undefined {
    return this.#failure;
  }

  /** Whether a block is there. */
  has(index: number): boolean {
    return this.#failure === undefined && this.#manifest.blocks[index] !== undefined;
  }

  /** Reads a block into the target's front; false, and the block is missing, if it is damaged. */
  async read(index: number, target: Uint8Array): Promise<boolean> {
    const isSound = await readStoredBlock(this.#entry, this.#manifest, index, target).catch(
      () => false,
    );
    if (!isSound) this.#manifest.blocks[index] = undefined;
    return isSound;
  }

  /** Stores a block; the bytes must not change until this settles. Never rejects: see `failure`. */
  write(index: number, bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(index, bytes));
    return this.#writing;
  }

  async #write(index: number, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined || this.has(index)) return;
    try {
      await this.#entry.writeBlock(index, bytes, BLOCK_BYTES);
      this.#manifest.blocks[index] = crc32(bytes);
      await this.#entry.writeManifest(encodeManifest(this.#manifest));
    } catch (cause) {
      await this.#fail(unwritable(this.#manifest.facts.source, this.#place, cause));
    }
  }

  /** Removes what is stored, and stores nothing more. */
  async abandon(failure: PlmError): Promise<void> {
    await this.#writing;
    await this.#fail(failure);
  }

  async #fail(failure: PlmError): Promise<void> {
    this.#failure ??= failure;
    await this.#entry.remove().catch(() => undefined);
  }

  /** Declares the file whole; all blocks are there. */
  async complete(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) return;
    try {
      await this.#entry.complete();
      this.#manifest.isWhole = true;
      await this.#entry.writeManifest(encodeManifest(this.#manifest));
    } catch (cause) {
      await this.#fail(unwritable(this.#manifest.facts.source, this.#place, cause));
    }
  }

  /** Ends writing; what is stored stays, for another to go on with. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#entry.close().catch(() => undefined);
    await this.#lock.release();
  }
}

function unwritable(source: string, place: string, cause: unknown): PlmError {
  const message = `${source}: could not be stored in ${place}: ${reasonOf(cause)}`;
  return new PlmError("UNWRITABLE_FILE", message, { cause });
}
