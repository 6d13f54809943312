/** The one way to write a file: it is under its name whole or not at all, whatever happens. */
import { rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { getSystemErrorMap } from "node:util";
import { PlmError } from "../errors.js";

/** How the name of an unfinished file ends; its own name and the writer's process go before. */
const UNFINISHED = ".unfinished";

/** Whether a file of that name is one that a killed process left. */
export function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED);
}

/** What writing may come with. */
export interface WriteOptions {
  /** How messages call the file. Default: its path. */
  readonly name?: string;
  readonly signal?: AbortSignal;
  /** Is given the bytes so far. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Writes the pieces beside the path, waits until they are on the disk, renames, and waits for the
 * folder: the order in which no moment has half a file under the path. Returns the bytes. Whatever
 * fails (UNWRITABLE_FILE, the signal's reason, an error of the pieces) leaves the path as it was,
 * unless the message says otherwise, and nothing beside it.
 */
export async function writeWhole(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<number> {
  const { name = path } = options;
  const unfinished = `${path}.${process.pid}${UNFINISHED}`;
  const bytes = await withTemporaryFile(unfinished, async () => {
    // A killed process may have had the same id.
    await asWriting(name, rm(unfinished, { force: true }));
    const file = await asWriting(name, open(unfinished, "wx"));
    const written = await writePieces(name, file, pieces, options);
    await asWriting(name, rename(unfinished, path));
    return written;
  });
  await syncFolder(name, dirname(path));
  return bytes;
}

async function writePieces(
  name: string,
  file: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal, onProgress }: WriteOptions,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      await asWriting(name, file.writeFile(piece));
      bytes += piece.length;
      onProgress?.(bytes);
    }
    signal?.throwIfAborted();
    await asWriting(name, file.sync());
  } finally {
    await asWriting(name, file.close());
  }
  return bytes;
}

/**
 * Runs `write`, which makes a file and in the end renames it. Where that fails the file is removed,
 * and so it is where the process ends meanwhile by process.exit: a second signal, a reader of
 * standard output that has gone.
 */
async function withTemporaryFile<T>(path: string, write: () => Promise<T>): Promise<T> {
  const discard = (): void => rmSync(path, { force: true });
  process.on("exit", discard);
  try {
    return await write();
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  } finally {
    process.off("exit", discard);
  }
}

/** Makes a rename last, where the system lets folders be opened for that; it is done anyway. */
async function syncFolder(name: string, folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  try {
    await handle?.sync();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EPERM" || code === "EINVAL" || code === "EISDIR") return;
    const reason = `${name} was written, but may not outlast a power failure: ${describe(cause)}`;
    throw new PlmError("UNWRITABLE_FILE", reason, { cause });
  } finally {
    await handle?.close();
  }
}

/** Passes on the result of a call to the file system; its errors become UNWRITABLE_FILE. */
export async function asWriting<T>(name: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const message = `${name} could not be written: ${describe(cause)}; what was there is intact`;
    throw new PlmError("UNWRITABLE_FILE", message, { cause });
  }
}

/** The system's words for an error, without the path of the unfinished file. */
function describe(cause: unknown): string {
  const { errno, message } = cause as NodeJS.ErrnoException;
  return (
    getSystemErrorMap()
      .get(errno ?? 0)
      ?.join(": ") ?? message
  );
}
