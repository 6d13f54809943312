/** What the store of downloaded files asks of a runtime: src/platform/ implements it. */

/** A place for downloaded files. */
export interface FileStore {
  /** For messages and users: a folder's path, or a name such as "OPFS". */
  readonly place: string;
  /** The keys of all entries. */
  keys(): Promise<string[]>;
  /** The entry of a key (letters, digits, "-" and "_"), of which there may be nothing. */
  entry(key: string): StoreEntry;
  /** Bytes that can still be written; undefined where that is not known. */
  freeBytes(): Promise<number | undefined>;
  /** Asks the runtime not to evict what is stored; whether it agreed. */
  persist(): Promise<boolean>;
}

/** The place of one file, which is stored block by block. */
export interface StoreEntry {
  /** Undefined if there is none. */
  readManifest(): Promise<Uint8Array | undefined>;
  /** Replaces the manifest at once: a crash leaves the old one or the new one. */
  writeManifest(bytes: Uint8Array): Promise<void>;
  /** Reads the block of that index, at most `target.length` bytes; returns how many there are. */
  readBlock(index: number, target: Uint8Array, blockBytes: number): Promise<number>;
  /** Stores a block; all are `blockBytes` long except the last. */
  writeBlock(index: number, bytes: Uint8Array, blockBytes: number): Promise<void>;
  /** Called when all blocks are stored, before the manifest says so. */
  complete(): Promise<void>;
  /** Removes the file with all that belongs to it; what another process may hold stays usable. */
  remove(): Promise<void>;
  /** Releases what reading and writing opened. */
  close(): Promise<void>;
  /**
   * Takes the entry for writing, in all processes; a holder that crashed loses it. Undefined if
   * another has it.
   */
  lock(): Promise<EntryLock | undefined>;
}

/** The right to write to an entry. */
export interface EntryLock {
  release(): Promise<void>;
}
