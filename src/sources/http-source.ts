/**
 * Files behind a URL: by parallel range requests where the server honours ranges, else from front
 * to back. A copy is kept in the store where that is wanted, and read instead once it is whole.
 */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { Sha256 } from "../format/sha256.js";
import type { FileFacts } from "../store/file-facts.js";
import type { EntryLock, FileStore, StoreEntry } from "../store/file-store.js";
import { BLOCK_BYTES } from "../store/manifest.js";
import { StoreWriter } from "../store/store-writer.js";
import { readManifest } from "../store/stored-file.js";
import { openStored } from "../store/stored-source.js";
import { DownloadSource, type DownloadWatch } from "./download-source.js";
import { type HttpClient, nameOf } from "./http-client.js";
import { type Connection, connect, type RequestedRange, unreadable } from "./http-connection.js";
import { isSameFile, type Validators } from "./http-fields.js";
import { Retries } from "./http-retries.js";
import { RangeSource } from "./range-source.js";
import { createSha256 } from "./sha256.js";
import { StreamSource } from "./stream-source.js";

/** Shorter files are read by one connection unless they are stored or checked. */
const LEAST_PARALLEL_BYTES = 16 << 20;

/** Files that take turns: only the file read last keeps its connections. */
export class Turns {
  #last: { disconnect(): Promise<void> } | undefined;

  async take(source: { disconnect(): Promise<void> }): Promise<void> {
    const last = this.#last;
    this.#last = source;
    if (last !== undefined && last !== source) await last.disconnect();
  }
}

/** A file behind a URL. */
export class RemoteFile {
  readonly url: URL;
  /** What the user calls it, without secrets. */
  readonly source: string;
  readonly client: HttpClient;
  /** In lower-case hexadecimal, if it is known. */
  readonly sha256: string | undefined;
  /** Whether a copy is kept unless the caller says otherwise. */
  readonly isKept: boolean;

  constructor(
    url: URL,
    client: HttpClient,
    { source = nameOf(url), sha256, isKept = false }: Partial<RemoteFile>,
  ) {
    this.url = url;
    this.client = client;
    this.source = source;
    this.sha256 = sha256;
    this.isKept = isKept;
  }
}

/** A file's place in the store. */
export interface StorePlace {
  readonly store: FileStore;
  readonly entry: StoreEntry;
}

/** How a remote file is opened. */
export interface RemoteOpening {
  readonly turns: Turns;
  /** Most connections at once. */
  readonly connections: number;
  /** Where a copy is kept; undefined for none. */
  readonly place: StorePlace | undefined;
  /** Whether the file will be read as a whole: only then a copy is made. */
  readonly isWhole: boolean;
  readonly watch?: DownloadWatch;
  readonly signal: AbortSignal | undefined;
}

/** Opens a file behind a URL; its stored copy, without a request, if that is whole. */
export async function openUrl(file: RemoteFile, opening: RemoteOpening): Promise<ByteSource> {
  const entry = opening.place?.entry;
  // A store that fails is done without.
  const copy = entry && (await openStored(entry, nameOf(file.url)).catch(() => undefined));
  const isMeant = [undefined, copy?.manifest.facts.sha256].includes(file.sha256);
  if (copy !== undefined && isMeant) return copy;
  const lock = opening.isWhole ? await entry?.lock().catch(() => undefined) : undefined;
  return openRemote(file, opening, lock);
}

/**
 * Opens a file behind a URL by requests, and stores it if the lock is given, which passes to the
 * source.
 */
export async function openRemote(
  file: RemoteFile,
  opening: RemoteOpening,
  lock: EntryLock | undefined,
): Promise<ByteSource> {
  const { url, client, sha256 } = file;
  const { turns, connections, place, signal } = opening;
  let connection: Connection;
  let expected: { readonly sha256: string; readonly hash: Sha256 } | undefined;
  try {
    if (sha256 !== undefined) expected = { sha256, hash: await createSha256() };
    const begun = lock && place && (await readManifest(place.entry));
    const isInBlocks = lock !== undefined || sha256 !== undefined;
    // A request without an end would go on being answered after its first block.
    const end = begun?.blocks[0] === undefined ? BLOCK_BYTES : 1;
    const range = { start: 0, ...(isInBlocks && { end }) };
    connection = await firstConnection(url, client, signal, range);
  } catch (error) {
    await lock?.release();
    throw error;
  }
  const { validators, ranges } = connection;
  const { size } = validators;
  const isSmall = (size ?? 0) < LEAST_PARALLEL_BYTES;
  const isPlain = sha256 === undefined && (lock === undefined || size === undefined);
  if (size === undefined || (isPlain && (isSmall || !ranges))) {
    await lock?.release();
    if (!ranges) return new StreamSource(connection.body, nameOf(url), size, client.hasOwnBodies);
    const source: RangeSource = new RangeSource(
      { url, client, validators, isBounded: false, onConnect: () => turns.take(source) },
      connection,
    );
    await turns.take(source);
    return source;
  }
  const kept = lock && place && (await beginStoring(file, { ...validators, size }, place, lock));
  const parts = { url, client, validators, isBounded: true, onConnect: async () => undefined };
  const lane = ranges
    ? new RangeSource(parts, connection)
    : new StreamSource(connection.body, nameOf(url), size, client.hasOwnBodies);
  const source: DownloadSource = new DownloadSource(lane, () => new RangeSource(parts), {
    ...{ size, expected, lanes: ranges ? connections : 1, ...kept },
    ...{ watch: opening.watch, onConnect: () => turns.take(source) },
  });
  return source;
}

/** What stores the file, or why it cannot be stored: it is then read all the same. */
async function beginStoring(
  { source, sha256, client }: RemoteFile,
  validators: Validators & { readonly size: number },
  { store, entry }: StorePlace,
  lock: EntryLock,
): Promise<{ writer: StoreWriter } | { storeFailure: PlmError }> {
  const { etag, lastModified, size } = validators;
  const facts: FileFacts = { source, size, etag, lastModified, sha256 };
  const isSame = (found: FileFacts): boolean => {
    if (found.size !== size) return false;
    if (sha256 !== undefined && found.sha256 !== undefined) return found.sha256 === sha256;
    // Sizes alone prove nothing.
    const isTagged = etag !== undefined || lastModified !== undefined;
    return isTagged && isSameFile(found, validators, client.environment.now()) === true;
  };
  try {
    return { writer: await StoreWriter.begin(store, entry, lock, facts, isSame) };
  } catch (error) {
    const storeFailure = PlmError.from(error);
    if (storeFailure?.code !== "UNWRITABLE_FILE") throw error;
    return { storeFailure };
  }
}

/**
 * The first connection, for a range if one is given. Waits for a busy server, but not
 * for one that does not answer. Throws UNREADABLE_FILE, INVALID_ARGUMENT for credentials in a URL.
 */
export async function firstConnection(
  url: URL,
  client: HttpClient,
  signal: AbortSignal | undefined,
  range: RequestedRange | undefined,
): Promise<Connection> {
  if (url.username !== "" || url.password !== "") {
    // fetch refuses credentials, and its message would show them.
    const message = `${nameOf(url)}: expected a URL without credentials`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  const connection = await open(client, url, isHttp ? range : undefined, signal);
  if (!connection.ranges || !connection.isCoded) return connection;
  connection.abort();
  return open(client, url, undefined, signal);
}

async function open(
  client: HttpClient,
  url: URL,
  range: RequestedRange | undefined,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const retries = new Retries(client.environment);
  for (;;) {
    const answer = await connect(client, url, range, signal);
    if (answer.kind === "body") return answer;
    if (answer.kind === "end") throw unreadable(nameOf(url), "the file is empty");
    if (!answer.isAnswered) throw answer.failure.error;
    await retries.pauseAfter(answer.failure, signal);
  }
}
