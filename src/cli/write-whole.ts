/** Writes a file atomically: under its name it is complete or missing, whatever happens. */
import { rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { getSystemErrorMap } from "node:util";
import { PlmError } from "../errors.js";

/** The end of an unfinished file's name, after the file's name and the process's id. */
const UNFINISHED = ".unfinished";

/** Whether a name is that of a file that a killed process left unfinished. */
export function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED);
}

/** Where a file or folder of this process is written until it is whole. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}${UNFINISHED}`;
}

/** Options of writing. */
export interface WriteOptions {
  /** The file's name in messages. Default: its path. */
  readonly name?: string;
  readonly signal?: AbortSignal;
  /** Who may read a new file; default: as the process's umask says. */
  readonly mode?: number;
  /** Receives the bytes so far. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Writes the pieces beside the path, syncs the file, renames it and syncs the folder, so that the
 * path never has half a file. Returns the number of bytes. Any failure (UNWRITABLE_FILE, the
 * signal's reason, an error of the pieces) leaves the path as it was, unless the message says
 * otherwise, and nothing beside it.
 */
export async function writeWhole(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<number> {
  const { name = path, mode } = options;
  const unfinished = temporaryName(path);
  const bytes = await withTemporaryFile(unfinished, async () => {
    // A killed process with the same id may have left one.
    await asWriting(name, rm(unfinished, { force: true }));
    const file = await asWriting(name, open(unfinished, "wx", mode));
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
 * Runs `write`, which creates a file and finally renames it. Removes the file if that fails, or if
 * process.exit ends the process meanwhile: after a second signal, or when standard output is
 * closed.
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

/** Syncs a folder, to make a rename durable, on systems where folders can be opened. */
export async function syncFolder(name: string, folder: string): Promise<void> {
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

/** The result of a call to the file system, whose errors become UNWRITABLE_FILE. */
export async function asWriting<T>(name: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const message = `${name} could not be written: ${describe(cause)}; what was there is intact`;
    throw new PlmError("UNWRITABLE_FILE", message, { cause });
  }
}

/** The system's message of an error, without the unfinished file's path. */
function describe(cause: unknown): string {
  const { errno, message } = cause as NodeJS.ErrnoException;
  return (
    getSystemErrorMap()
      .get(errno ?? 0)
      ?.join(": ") ?? message
  );
}
