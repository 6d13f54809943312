/** Where a model's bytes come from: paths, URLs, blobs, bytes, streams, or a reader of one's own. */
import { PlmError } from "../errors.js";

/**
 * A file that can be read by offset. One read at a time: the next starts when the last has settled.
 * `read` may reject with PlmError UNREADABLE_FILE, or with the signal's reason.
 */
export interface ByteSource {
  /** For messages: a path, a URL, a file name. */
  readonly name: string;
  /** Length in bytes, or undefined where it is known only at the end. */
  readonly size: number | undefined;
  /** True: offsets must not go backwards, except inside what `openGguf` kept. */
  readonly sequential: boolean;
  /** Fills `target` with the bytes at `offset`; the number read is less only at the end. */
  read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** What a model can be loaded from. An array holds the parts of a split file, in order. */
export type ModelSource =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | ReadableStream<Uint8Array>
  | ByteSource
  | ModelSource[];

/** Opens a model's file or files. */
export async function openSources(
  source: ModelSource,
  signal?: AbortSignal,
): Promise<ByteSource[]> {
  signal?.throwIfAborted();
  throw new PlmError("INVALID_ARGUMENT", `source: ${typeof source}`);
}
