/** Downloads one file into the store. */
import { abortable } from "../abortable.js";
import { PlmError } from "../errors.js";
import type { EntryLock, StoreEntry } from "../store/file-store.js";
import { openStored } from "../store/stored-source.js";
import { DownloadSource, type DownloadWatch } from "./download-source.js";
import type { HttpEnvironment } from "./http-environment.js";
import { isSameFile } from "./http-fields.js";
import {
  firstConnection,
  openRemote,
  type RemoteFile,
  type StorePlace,
  Turns,
} from "./http-source.js";

/** How often a lock that another process holds is asked for. */
const LOCK_MS = 500;

/** How a file is downloaded. */
export interface Pulling {
  readonly place: StorePlace;
  readonly connections: number;
  readonly watch: DownloadWatch;
  readonly signal: AbortSignal | undefined;
}

/** Downloads a file unless the stored copy is the server's. Throws as `models.pull` does. */
export async function pullFile(file: RemoteFile, pulling: Pulling): Promise<void> {
  const { place, watch, signal } = pulling;
  const lock = await awaitLock(place.entry, file.client.environment, signal);
  let isDone = true;
  try {
    isDone = await isCurrent(file, place.entry, watch, signal);
  } finally {
    if (isDone) await lock.release();
  }
  if (isDone) return;
  const opening = { ...pulling, turns: new Turns(), isWhole: true };
  const source = await openRemote(file, opening, lock);
  try {
    if (!(source instanceof DownloadSource)) {
      const message = `${file.source}: expected the server to say the file's length, got none`;
      throw new PlmError("UNREADABLE_FILE", message);
    }
    if (source.storeFailure !== undefined) throw source.storeFailure;
    await source.finish(signal);
    if (source.storeFailure !== undefined) throw source.storeFailure;
  } finally {
    await source.close();
  }
}

async function awaitLock(
  entry: StoreEntry,
  environment: HttpEnvironment,
  signal: AbortSignal | undefined,
): Promise<EntryLock> {
  for (;;) {
    const lock = await entry.lock();
    if (lock !== undefined) return lock;
    const share = 0.5 + environment.random() / 2;
    await abortable(environment.wait(LOCK_MS * share, signal), signal);
  }
}

/** Whether the stored copy is whole and still the server's, as far as the server can be asked. */
async function isCurrent(
  { url, client, sha256, source }: RemoteFile,
  entry: StoreEntry,
  watch: DownloadWatch,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const copy = await openStored(entry, source);
  if (copy === undefined) return false;
  const { facts } = copy.manifest;
  let isSame = sha256 === undefined ? undefined : facts.sha256 === sha256;
  if (isSame === undefined) {
    try {
      const { validators, abort } = await firstConnection(url, client, signal, {
        start: 0,
        end: 1,
      });
      abort();
      isSame = isSameFile(facts, validators, client.environment.now());
    } catch (error) {
      signal?.throwIfAborted();
      // Without an answer, the copy is the best there is.
      if (PlmError.from(error)?.code !== "UNREADABLE_FILE") throw error;
    }
  }
  if (isSame === false) return false;
  watch.onProgress(facts.size, facts.size);
  return true;
}
