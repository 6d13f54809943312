/** The models that are stored: downloads, lists and removes them. */
import { checkOptions, checkSignal } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import type { StoreEntry } from "../store/file-store.js";
import { storedBytes } from "../store/manifest.js";
import { storeKey } from "../store/store-key.js";
import { readManifest } from "../store/stored-file.js";
import type { RemoteFile } from "./http-source.js";
import { isHubName, parseHubName } from "./hub-name.js";
import { isUrl, locate, partsOf } from "./locate.js";
import type { UrlLike } from "./model-source.js";
import { pullFile } from "./pull.js";
import { openStore, Remotes } from "./remotes.js";
import type { SourceOptions } from "./source-options.js";
import { type TransferProgress, TransferRate } from "./transfer-rate.js";

/** A file in the store. */
export interface StoredModel {
  /** An `hf:` name, or a URL without its query. */
  readonly source: string;
  /** Of the whole file. */
  readonly sizeBytes: number;
  /** What of it is stored; a download goes on from there. */
  readonly storedBytes: number;
  readonly isWhole: boolean;
  /** In lower-case hexadecimal, if the hub or the caller gave one. */
  readonly sha256: string | undefined;
}

/** Options of `models.pull`. */
export interface PullOptions extends Omit<SourceOptions, "store"> {
  /** Asks the browser not to evict what is stored. Default false. */
  persist?: boolean;
  signal?: AbortSignal;
  /** Of all files together. */
  onProgress?: (progress: TransferProgress) => void;
}

/**
 * Downloads a model into the store, or goes on with a download that was interrupted. A stored model
 * is only compared with the server's. While another process downloads it, this waits. Resolves to
 * the stored files.
 *
 * Throws INVALID_ARGUMENT, UNREADABLE_FILE for a server's failure, INVALID_FILE for a file with
 * another hash, UNWRITABLE_FILE for a store without room, UNSUPPORTED_RUNTIME without a store. An
 * abort rejects with its reason; what was downloaded stays.
 */
async function pull(source: string | UrlLike, options: PullOptions = {}): Promise<StoredModel[]> {
  checkOptions(options);
  const { persist = false, onProgress, signal: givenSignal, ...rest } = options;
  const signal = checkSignal(givenSignal);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidArgument("onProgress", "a function", kindOf(onProgress));
  }
  signal?.throwIfAborted();
  const remotes = new Remotes({ ...rest, store: true });
  const store = await openStore();
  if (persist) await store.persist();
  const files = await remoteFiles(remotes, source, signal);
  const report = combine(files.length, onProgress);
  for (const [i, file] of files.entries()) {
    const place = { store, entry: store.entry(await storeKey(file.url)) };
    const { connections } = remotes.options;
    const watch = { onProgress: (loaded: number, total: number) => report(i, loaded, total) };
    await pullFile(file, { place, connections, watch, signal });
  }
  return (await list()).filter((stored) => files.some((file) => file.source === stored.source));
}

/** The files in the store, by their sources. Throws UNSUPPORTED_RUNTIME without a store. */
async function list(): Promise<StoredModel[]> {
  const store = await openStore();
  const models: StoredModel[] = [];
  for (const key of await store.keys()) {
    const manifest = await readManifest(store.entry(key));
    if (manifest === undefined) continue;
    const { source, size, sha256 } = manifest.facts;
    const { isWhole } = manifest;
    models.push({ source, sizeBytes: size, storedBytes: storedBytes(manifest), isWhole, sha256 });
  }
  return models.sort((a, b) => (a.source < b.source ? -1 : 1));
}

/**
 * Removes a model from the store: what `pull` was given, or a `source` of the list. Resolves to the
 * number of files. Throws UNWRITABLE_FILE while it is being downloaded.
 */
async function remove(source: string | UrlLike): Promise<number> {
  const store = await openStore();
  let count = 0;
  const isMeant = await matcherOf(source);
  for (const key of await store.keys()) {
    const entry = store.entry(key);
    const manifest = await readManifest(entry);
    if (manifest === undefined || !isMeant(key, manifest.facts.source)) continue;
    await removeEntry(entry, manifest.facts.source);
    count++;
  }
  return count;
}

/** The store of downloaded models: on disk, or in the browser's own storage. */
export const models: {
  readonly pull: typeof pull;
  readonly list: typeof list;
  readonly remove: typeof remove;
} = { pull, list, remove };

async function remoteFiles(
  remotes: Remotes,
  source: string | UrlLike,
  signal: AbortSignal | undefined,
): Promise<RemoteFile[]> {
  if (typeof source === "string" && isHubName(source)) {
    return remotes.listedFiles(parseHubName(source), signal);
  }
  return urlsOf(source).map((url) => remotes.file(url));
}

/** The URLs that a source means. Throws INVALID_ARGUMENT for another source. */
function urlsOf(source: string | UrlLike): URL[] {
  const place = typeof source === "string" ? locate(source) : source;
  const parts = isUrl(place) ? partsOf(place as URL) : [];
  const urls = parts.filter((part): part is URL => /^https?:$/.test((part as URL).protocol));
  if (urls.length > 0) return urls;
  throw invalidArgument("source", "hf:owner/repo/file or an http: or https: URL", kindOf(source));
}

/** Whether a file of the store is of a source. */
async function matcherOf(
  source: string | UrlLike,
): Promise<(key: string, stored: string) => boolean> {
  if (typeof source === "string" && isHubName(source)) {
    const { repo, file, revision } = parseHubName(source);
    const files = file === undefined ? undefined : partsOf(file).map(String);
    return (_, stored) => {
      const found = isHubName(stored) ? parseHubName(stored) : undefined;
      const isFile = files === undefined || files.includes(found?.file ?? "");
      return isFile && found?.repo === repo && found.revision === revision;
    };
  }
  const urls = urlsOf(source);
  const keys = await Promise.all(urls.map(storeKey));
  return (key, stored) => keys.includes(key) || urls.some(({ href }) => href === stored);
}

async function removeEntry(entry: StoreEntry, source: string): Promise<void> {
  const lock = await entry.lock();
  if (lock === undefined) {
    const message = `${source}: expected a file that nobody downloads, got one on its way`;
    throw new PlmError("UNWRITABLE_FILE", message);
  }
  try {
    await entry.remove();
  } finally {
    await lock.release();
  }
}

/** The progress of all files as one; the sizes of those to come are not known. */
function combine(
  count: number,
  onProgress: ((progress: TransferProgress) => void) | undefined,
): (file: number, loadedBytes: number, totalBytes: number) => void {
  const loaded = Array<number>(count).fill(0);
  const total = Array<number>(count).fill(0);
  const rate = new TransferRate();
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return (file, loadedBytes, totalBytes) => {
    loaded[file] = loadedBytes;
    total[file] = totalBytes;
    onProgress?.(rate.progress(sum(loaded), sum(total)));
  };
}
