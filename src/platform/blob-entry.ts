/** A stored file as a manifest and one blob for each block, which browsers write at once or not. */
import type { EntryLock, StoreEntry } from "../store/file-store.js";
import { takeWebLock } from "./web-lock.js";

/** Blobs by their names. */
export interface BlobFolder {
  get(name: string): Promise<Blob | undefined>;
  /** Writes a blob; until that is done, there is the old one or none. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  remove(): Promise<void>;
}

const MANIFEST = "manifest.json";

export class BlobEntry implements StoreEntry {
  readonly #folder: BlobFolder;
  readonly #key: string;

  constructor(folder: BlobFolder, key: string) {
    this.#folder = folder;
    this.#key = key;
  }

  async readManifest(): Promise<Uint8Array | undefined> {
    const blob = await this.#folder.get(MANIFEST);
    return blob && new Uint8Array(await blob.arrayBuffer());
  }

  writeManifest(bytes: Uint8Array): Promise<void> {
    return this.#folder.put(MANIFEST, bytes);
  }

  async readBlock(index: number, target: Uint8Array): Promise<number> {
    const blob = await this.#folder.get(String(index));
    if (blob === undefined || blob.size > target.length) return 0;
    target.set(new Uint8Array(await blob.arrayBuffer()));
    return blob.size;
  }

  writeBlock(index: number, bytes: Uint8Array): Promise<void> {
    return this.#folder.put(String(index), bytes);
  }

  async complete(): Promise<void> {}

  remove(): Promise<void> {
    return this.#folder.remove();
  }

  async close(): Promise<void> {}

  lock(): Promise<EntryLock | undefined> {
    return takeWebLock(`plm-wasm ${this.#key}`);
  }
}
