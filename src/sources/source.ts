/** Turns what callers pass into sources that are read by offset. */

import platform from "#platform";
import { brandOf, bytesOf, checkSignal } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { parseUrl } from "../globals.js";
import { attempt } from "./attempt.js";
import { BlobSource, BytesSource, isBlob } from "./bytes-source.js";
import { isIterable, isStream } from "./chunk-reader.js";
import { filesOfFolder } from "./folder.js";
import { HttpClient, type HttpOptions } from "./http-client.js";
import { openUrl, Turns } from "./http-source.js";
import { adviceFor, isUrl, locate, type Place, partsOf } from "./locate.js";
import {
  ACCEPTED_SOURCES,
  type FileSource,
  type ModelSource,
  type PickedFile,
  type StreamOwner,
  type UrlLike,
} from "./model-source.js";
import { isOpenFile, openFileSource } from "./open-file-source.js";
import { isResponse, openResponse } from "./response-source.js";
import { StreamSource } from "./stream-source.js";

export type { ModelSource };

/** Options for opening sources. */
interface Opening {
  readonly client: HttpClient;
  readonly turns: Turns;
  readonly signal: AbortSignal | undefined;
}

/** The deepest nesting of arrays; an array that holds itself goes deeper. */
const MAX_DEPTH = 8;

/** A source where a string is a path, never a URL. */
type Located = Place | Exclude<FileSource, string | UrlLike>;

/**
 * Opens a model's file or files, in order. A string is a path where the platform has files, unless
 * it starts like a URL; elsewhere it is a URL. A path or URL that ends in -00001-of-0000N.gguf, or
 * another part number, means all N parts; the path of a folder means the files of the checkpoint
 * (config.json, safetensors) in it. URLs are read by ranges where the server honours them,
 * else from front to back; temporary failures are retried. Throws INVALID_ARGUMENT for anything
 * that is not a source, UNREADABLE_FILE for a file that cannot be opened and UNSUPPORTED_RUNTIME
 * for a path where there are no files; nothing stays open then.
 */
export async function openSources(
  source: ModelSource,
  signal?: AbortSignal,
  options?: HttpOptions,
): Promise<ByteSource[]> {
  const checked = checkSignal(signal);
  checked?.throwIfAborted();
  return openWith(new HttpClient(options), source, checked);
}

/** The same with a client for what has a URL. */
export async function openWith(
  client: HttpClient,
  source: ModelSource,
  signal?: AbortSignal,
): Promise<ByteSource[]> {
  const opening = { client, turns: new Turns(), signal };
  const parts = isList(source) ? flatten(source) : await withParts(locateSource(source));
  if (parts.length === 0) throw invalidArgument("source", "a file or more", "none");
  const opened: ByteSource[] = [];
  try {
    for (const part of parts) {
      signal?.throwIfAborted();
      checkConnections(opened, part);
      opened.push(await openOne(part, opening));
    }
    return opened;
  } catch (error) {
    await closeSources(opened);
    throw error;
  }
}

/** Closes all sources, even if closing one fails. */
export async function closeSources(sources: readonly ByteSource[]): Promise<void> {
  await Promise.allSettled(sources.map(async (source) => source.close()));
}

/** A file picker's files are a list as well. */
function isList(source: ModelSource): source is readonly ModelSource[] {
  return Array.isArray(source) || brandOf(source) === "FileList";
}

function flatten(sources: readonly ModelSource[], depth = 1): Located[] {
  if (depth > MAX_DEPTH) {
    throw invalidArgument("source", "an array of files", `arrays nested over ${MAX_DEPTH} deep`);
  }
  return Array.from(sources).flatMap((source) =>
    isList(source) ? flatten(source, depth + 1) : locateSource(source),
  );
}

function locateSource(source: FileSource): Located {
  if (typeof source === "string") return locate(source);
  return isUrl(source) ? parseUrl(source.href) : source;
}

async function withParts(source: Located): Promise<Located[]> {
  if (typeof source !== "string" && !isUrl(source)) return [source];
  return (await filesOfFolder(source)) ?? partsOf(source);
}

/** Files without ranges keep a connection each, and browsers allow six per server. */
function checkConnections(opened: readonly ByteSource[], next: Located): void {
  if (!isUrl(next) || next.protocol === "file:") return;
  if (opened.filter((source) => source.sequential).length < 5) return;
  const message = `${opened[0].name}: the server must honour ranges for a file of over 5 parts`;
  throw new PlmError("UNREADABLE_FILE", message);
}

async function openOne(source: Located, { client, turns, signal }: Opening): Promise<ByteSource> {
  if (typeof source === "string") return openPath(source);
  const bytes = bytesOf("source", source);
  if (bytes !== undefined) return new BytesSource(bytes);
  if (typeof source !== "object" || source === null) throw refused(source);
  if (isByteSource(source)) return source;
  if (isUrl(source)) {
    return source.protocol === "file:"
      ? platform.openFile(source)
      : openUrl(source, turns, client, signal);
  }
  if (isResponse(source)) return openResponse(source);
  if (isPickedFile(source)) return openPicked(source);
  if (isBlob(source)) return new BlobSource(source);
  if (isOpenFile(source)) return openFileSource(source);
  const stream = isStreamOwner(source) ? source.readable : source;
  if (isStream(stream) || isIterable(stream)) return new StreamSource(stream, "stream");
  throw refused(source);
}

async function openPath(path: string): Promise<ByteSource> {
  try {
    return await platform.openFile(path);
  } catch (cause) {
    const advice = adviceFor(path);
    const error = PlmError.from(cause);
    if (error === undefined || advice === "") throw cause;
    throw new PlmError(error.code, error.message + advice, { cause });
  }
}

function isByteSource(source: object): source is ByteSource {
  const { name, sequential, read, close } = source as Partial<ByteSource>;
  const hasCalls = typeof read === "function" && typeof close === "function";
  return hasCalls && typeof name === "string" && typeof sequential === "boolean";
}

function isPickedFile(source: object): source is PickedFile {
  return typeof (source as Partial<PickedFile>).getFile === "function";
}

async function openPicked(source: PickedFile): Promise<ByteSource> {
  const { name = "source" } = source as { name?: unknown };
  return new BlobSource(await attempt(String(name), () => source.getFile()));
}

function isStreamOwner(source: object): source is StreamOwner {
  const { readable } = source as { readable?: unknown };
  return typeof readable === "object" && readable !== null && isStream(readable);
}

function refused(source: unknown): PlmError {
  return invalidArgument("source", ACCEPTED_SOURCES, kindOf(source));
}
