/** Reads a file that is whole in the store. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { StoreEntry } from "./file-store.js";
import { BLOCK_BYTES, blockLength, type Manifest } from "./manifest.js";
import { readManifest, readStoredBlock } from "./stored-file.js";

/** A source over the stored file, with a name for messages; undefined unless it is whole. */
export async function openStored(
  entry: StoreEntry,
  name: string,
): Promise<StoredSource | undefined> {
  const manifest = await readManifest(entry);
  return manifest?.isWhole ? new StoredSource(entry, manifest, name) : undefined;
}

/** Every block is checked when it is read; a damaged file is removed. */
export class StoredSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly #entry: StoreEntry;
  /** Where the copy came from, and its checksums. */
  readonly manifest: Manifest;
  readonly #block: Uint8Array;
  /** The index of the block that is held. */
  #index = -1;

  constructor(entry: StoreEntry, manifest: Manifest, name: string) {
    this.#entry = entry;
    this.manifest = manifest;
    this.name = name;
    this.size = manifest.facts.size;
    this.#block = new Uint8Array(Math.min(BLOCK_BYTES, this.size));
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    const wanted = Math.max(0, Math.min(target.length, this.size - offset));
    for (let done = 0; done < wanted; ) {
      signal?.throwIfAborted();
      const index = Math.floor((offset + done) / BLOCK_BYTES);
      await this.#hold(index);
      const from = offset + done - index * BLOCK_BYTES;
      const bytes = this.#block.subarray(from, blockLength(this.size, index));
      target.set(bytes.subarray(0, wanted - done), done);
      done += Math.min(bytes.length, wanted - done);
    }
    return wanted;
  }

  close(): Promise<void> {
    return this.#entry.close();
  }

  async #hold(index: number): Promise<void> {
    if (this.#index === index) return;
    this.#index = -1;
    if (!(await readStoredBlock(this.#entry, this.manifest, index, this.#block))) {
      await this.#entry.remove();
      const message = `${this.name}: the stored copy was damaged (block ${index}) and is removed`;
      throw new PlmError("INVALID_FILE", `${message}; load the model again`);
    }
    this.#index = index;
  }
}
