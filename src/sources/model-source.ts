/**
 * What a model can be loaded from. The types list what is used of each object, so that they need no
 * browser or Node lib, and objects of any realm fit.
 */
import type { ByteSource } from "../format/byte-source.js";

/** Bytes: a buffer, shared or not, or a view of one. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

/** A URL, a page's location, a link. */
export interface UrlLike {
  readonly href: string;
  readonly protocol: string;
  readonly pathname: string;
}

/** A Blob, a File, what Bun.file gives. */
export interface BlobLike {
  readonly size: number;
  slice(start?: number, end?: number): BlobLike;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A ReadableStream. */
export interface StreamLike {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Bytes | undefined }>;
    cancel(reason?: unknown): Promise<unknown>;
  };
}

/** The answer to a fetch, its body unread. */
export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly bodyUsed: boolean;
  readonly headers: { get(name: string): string | null };
  /** A stream; a Node stream if `fetch` is node-fetch. */
  readonly body: StreamLike | AsyncIterable<Bytes> | null;
}

/** A FileSystemFileHandle, of a file picker or of the origin private file system. */
export interface PickedFile {
  readonly kind: "file";
  getFile(): Promise<BlobLike>;
}

/** A file opened with node:fs/promises; the caller closes it. */
export interface OpenFile {
  readonly fd: number;
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  read(
    target: Uint8Array,
    at: number,
    length: number,
    offset: number,
  ): Promise<{ readonly bytesRead: number }>;
}

/** An object with a stream of its bytes: Deno.FsFile. */
export interface StreamOwner {
  readonly readable: StreamLike;
}

/** Where the bytes of one file come from. */
export type FileSource =
  | string
  | UrlLike
  | Bytes
  | BlobLike
  | ResponseLike
  | PickedFile
  | OpenFile
  | StreamLike
  | ReadableStream<Uint8Array>
  | StreamOwner
  | AsyncIterable<Bytes>
  | Iterable<Bytes>
  | ByteSource;

/** What a model can be loaded from. An array holds the parts of a split file, in order. */
export type ModelSource = FileSource | readonly ModelSource[];

/** The accepted sources, for messages. */
export const ACCEPTED_SOURCES: string =
  "a path, URL, Response, Blob, FileSystemFileHandle, ArrayBuffer, SharedArrayBuffer, view of " +
  "one, ReadableStream, Node stream or file handle, (async) iterable of bytes, ByteSource, or an " +
  "array of them for a split file";
