/** What all file readers read from. */

/**
 * A file that can be read by offset. One read at a time, over all
 * parts of a split file: the next starts when the last has settled.
 * `read` may reject with PlmError UNREADABLE_FILE, or with the signal's reason.
 */
export interface ByteSource {
  /** For messages: a path, a URL, a file name. */
  readonly name: string;
  /** Length in bytes, or undefined if it is known only at the end. */
  readonly size: number | undefined;
  /** If true, offsets must not go backwards, except inside what `openGguf` kept. */
  readonly sequential: boolean;
  /** If true, each read takes a request over a network. */
  readonly isRemote?: boolean;
  /** Fills `target` with the bytes at `offset`; returns the number read, less only at the end. */
  read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number>;
  /**
   * To be called when all that is wanted of the file was read: completes and checks a copy of it.
   * Throws INVALID_FILE if the file is not the one that was asked for.
   */
  finish?(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Whether a source can be read again and again: it goes back, and asks no server. */
export function isRereadable({ sequential, isRemote = false }: ByteSource): boolean {
  return !sequential && !isRemote;
}
