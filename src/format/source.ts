/** Where a model's bytes come from: paths, URLs, blobs, bytes, streams or one's own reader. */
import platform from "#platform";
import { PlmError, quote } from "../errors.js";
import { BlobSource, BytesSource } from "./bytes-source.js";
import { openUrl, Turns } from "./http-source.js";
import { StreamSource } from "./stream-source.js";

/**
 * A file that can be read by offset. One read at a time, over all
 * parts of a split file: the next starts when the last has settled.
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

/**
 * Opens a model's file or files, in order. A string is a path where the platform has files, else a
 * URL, unless it has a scheme. A path or URL that ends in -00001-of-0000N.gguf, or another number,
 * stands for all N parts. URLs are read by ranges where the server honours them, else from front to
 * back. Throws INVALID_ARGUMENT for what is no source, UNREADABLE_FILE for what cannot be opened
 * and UNSUPPORTED_RUNTIME for a path where there are no files; nothing stays open then.
 */
export async function openSources(
  source: ModelSource,
  signal?: AbortSignal,
): Promise<ByteSource[]> {
  signal?.throwIfAborted();
  const parts = Array.isArray(source) ? flatten(source) : partsOf(locate(source));
  if (parts.length === 0) throw new PlmError("INVALID_ARGUMENT", "source: an empty list");
  const turns = new Turns();
  const opened: ByteSource[] = [];
  try {
    for (const part of parts) {
      signal?.throwIfAborted();
      checkConnections(opened, part);
      opened.push(await openOne(part, turns, signal));
    }
    return opened;
  } catch (error) {
    await closeSources(opened);
    throw error;
  }
}

/** Closes all, even if closing one fails. */
export async function closeSources(sources: readonly ByteSource[]): Promise<void> {
  await Promise.allSettled(sources.map(async (source) => source.close()));
}

type Place = Exclude<ModelSource, ModelSource[]>;

function flatten(sources: ModelSource[]): Place[] {
  return sources.flatMap((source) => (Array.isArray(source) ? flatten(source) : locate(source)));
}

/** Turns strings that are URLs into URLs; the strings that are left are paths. */
function locate(source: Place): Place {
  if (typeof source !== "string") return source;
  // One letter before the colon is a drive.
  if (platform.hasFiles && !/^[a-z][a-z0-9+.-]+:/i.test(source)) return source;
  try {
    return new URL(source, globalThis.location?.href);
  } catch (cause) {
    // Not the whole of it: it may have credentials.
    const got = quote(/^[^/?#@]*/.exec(source)?.[0] ?? "");
    const message = `source: expected a path or URL, got what is neither: ${got}...`;
    throw new PlmError("INVALID_ARGUMENT", message, { cause });
  }
}

/** All parts of a split file of which one is named; anything else as it is. */
function partsOf(place: Place): Place[] {
  if (typeof place !== "string" && !(place instanceof URL)) return [place];
  const path = typeof place === "string" ? place : place.pathname;
  const [, stem, number, count] = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/s.exec(path) ?? [];
  if (count === undefined || Number(number) < 1 || Number(number) > Number(count)) return [place];
  return Array.from({ length: Number(count) }, (_, i) => {
    const part = `${stem}${String(i + 1).padStart(5, "0")}-of-${count}.gguf`;
    if (typeof place === "string") return part;
    const url = new URL(place);
    url.pathname = part;
    return url;
  });
}

/** Files that cannot be put down keep a connection each, and browsers have six to a server. */
function checkConnections(opened: readonly ByteSource[], next: Place): void {
  if (!(next instanceof URL) || next.protocol === "file:") return;
  if (opened.filter((source) => source.sequential).length < 5) return;
  const message = `${opened[0].name}: the server must honour ranges for a file of over 5 parts`;
  throw new PlmError("UNREADABLE_FILE", message);
}

async function openOne(source: Place, turns: Turns, signal?: AbortSignal): Promise<ByteSource> {
  if (typeof source === "string") return platform.openFile(source);
  if (source instanceof URL) {
    return source.protocol === "file:" ? platform.openFile(source) : openUrl(source, turns, signal);
  }
  if (source instanceof Uint8Array) return new BytesSource(source);
  if (source instanceof ArrayBuffer) return new BytesSource(new Uint8Array(source));
  if (source instanceof Blob) return new BlobSource(source);
  if (source instanceof ReadableStream) return new StreamSource(source, "stream");
  if (isByteSource(source)) return source;
  const kinds = "a path, URL, Blob, ArrayBuffer, Uint8Array, ReadableStream or ByteSource";
  throw new PlmError("INVALID_ARGUMENT", `source: expected ${kinds}, got ${kindOf(source)}`);
}

function isByteSource(source: unknown): source is ByteSource {
  if (typeof source !== "object" || source === null) return false;
  const { name, sequential, read, close } = source as Partial<ByteSource>;
  const hasCalls = typeof read === "function" && typeof close === "function";
  return hasCalls && typeof name === "string" && typeof sequential === "boolean";
}

function kindOf(value: unknown): string {
  const name = (value as object | null)?.constructor?.name;
  return typeof value === "object" && name ? `an object of class ${name}` : typeof value;
}
