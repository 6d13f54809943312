/** Turns what callers pass into sources that are read by offset. */

import platform from "#platform";
import { brandOf, bytesOf, checkOptions, checkSignal } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { parseUrl } from "../globals.js";
import { attempt } from "./attempt.js";
import { BlobSource, isBlob } from "./blob-source.js";
import { BytesSource } from "./bytes-source.js";
import { isIterable, isStream } from "./chunk-reader.js";
import { filesOfFolder } from "./folder.js";
import { openUrl, RemoteFile, Turns } from "./http-source.js";
import { type HubName, isHubName, parseHubName } from "./hub-name.js";
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
import { Remotes } from "./remotes.js";
import { isResponse, openResponse } from "./response-source.js";
import type { SourceOptions } from "./source-options.js";
import { StreamSource } from "./stream-source.js";

export type { ModelSource };

/** Options for opening sources. */
interface Opening {
  readonly remotes: Remotes;
  readonly turns: Turns;
  readonly isWhole: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The deepest nesting of arrays; an array that holds itself goes deeper. */
const MAX_DEPTH = 8;

/** A name of the hub, which means one file or more. */
class HubPlace {
  readonly name: HubName;

  constructor(name: string) {
    this.name = parseHubName(name);
  }
}

/** A source where a string is a path, never a URL. */
type Located = Openable | HubPlace;

/** The same where names of the hub are files. */
type Openable = Place | RemoteFile | Exclude<FileSource, string | UrlLike>;

/**
 * Opens a model's file or files, in order. A string is a path where the platform has files, unless
 * it starts like a URL; elsewhere it is a URL. `hf:owner/repo/file@revision` is a file of the
 * Hugging Face hub, and `hf:owner/repo` its only GGUF file, else its checkpoint. A name that ends
 * in -00001-of-0000N.gguf, or another part number, means all N parts; the path of a folder means
 * the files of the checkpoint in it. URLs are read by parallel ranges where the server honours
 * them, else from front to back; temporary failures are retried.
 *
 * Throws INVALID_ARGUMENT for anything that is not a source, UNREADABLE_FILE for a file that cannot
 * be opened and UNSUPPORTED_RUNTIME for a path where there are no files; nothing stays open then.
 */
export async function openSources(
  source: ModelSource,
  signal?: AbortSignal,
  options: SourceOptions = {},
): Promise<ByteSource[]> {
  return openWith(remotesOf(options), source, signal);
}

/** The same for files that are read as a whole: copies are made where `options` want them. */
export async function openWhole(
  source: ModelSource,
  signal?: AbortSignal,
  options: SourceOptions = {},
): Promise<ByteSource[]> {
  return openWith(remotesOf(options), source, signal, true);
}

/** Completes and checks the copies of files that were read; throws what `finish` throws. */
export async function finishSources(
  sources: readonly ByteSource[],
  signal?: AbortSignal,
): Promise<void> {
  for (const source of sources) await source.finish?.(signal);
}

function remotesOf(options: SourceOptions): Remotes {
  checkOptions(options);
  return new Remotes(options);
}

/** Opens what has a URL by `remotes`. */
export async function openWith(
  remotes: Remotes,
  source: ModelSource,
  givenSignal?: AbortSignal,
  isWhole = false,
): Promise<ByteSource[]> {
  const signal = checkSignal(givenSignal);
  signal?.throwIfAborted();
  const opening = { remotes, turns: new Turns(), signal, isWhole };
  const located = isList(source) ? flatten(source) : await withParts(locateSource(source));
  const parts: Openable[] = [];
  for (const place of located) {
    if (place instanceof HubPlace) parts.push(...(await remotes.hubFiles(place.name, signal)));
    else parts.push(place);
  }
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
  if (typeof source === "string") {
    return isHubName(source) ? new HubPlace(source) : locate(source);
  }
  return isUrl(source) ? parseUrl(source.href) : source;
}

async function withParts(source: Located): Promise<Located[]> {
  if (typeof source !== "string" && !isPlace(source)) return [source];
  return (await filesOfFolder(source)) ?? partsOf(source);
}

/** Files without ranges keep a connection each, and browsers allow six per server. */
function checkConnections(opened: readonly ByteSource[], next: Openable): void {
  if (!isFetched(next)) return;
  if (opened.filter((source) => source.sequential).length < 5) return;
  const message = `${opened[0].name}: the server must honour ranges for a file of over 5 parts`;
  throw new PlmError("UNREADABLE_FILE", message);
}

/** Whether it takes a request. */
function isFetched(source: Openable): source is URL | RemoteFile {
  return source instanceof RemoteFile || (isPlace(source) && source.protocol !== "file:");
}

/** Whether it is a URL; every other place has been read by now. */
function isPlace(source: Located): source is URL {
  return isUrl(source as FileSource);
}

async function openOne(source: Openable, opening: Opening): Promise<ByteSource> {
  if (typeof source === "string") return openPath(source);
  if (isFetched(source)) return openFetched(source, opening);
  if (isPlace(source)) return platform.openFile(source);
  const bytes = bytesOf("source", source);
  if (bytes !== undefined) return new BytesSource(bytes);
  if (typeof source !== "object" || source === null) throw refused(source);
  if (isByteSource(source)) return source;
  if (isResponse(source)) return openResponse(source);
  if (isPickedFile(source)) return openPicked(source);
  if (isBlob(source)) return new BlobSource(source);
  if (isOpenFile(source)) return openFileSource(source);
  const stream = isStreamOwner(source) ? source.readable : source;
  if (isStream(stream) || isIterable(stream)) return new StreamSource(stream, "stream");
  throw refused(source);
}

async function openFetched(
  source: URL | RemoteFile,
  { remotes, turns, signal, isWhole }: Opening,
): Promise<ByteSource> {
  const file = source instanceof RemoteFile ? source : remotes.file(source);
  const { connections } = remotes.options;
  const place = await remotes.placeOf(file);
  return openUrl(file, { turns, connections, place, isWhole, signal });
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
