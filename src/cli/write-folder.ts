/** Writes a folder atomically: under its name it is complete or missing. */
import { rmSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asWriting, syncFolder, temporaryName, writeWhole } from "./write-whole.js";

/** A file to write. */
interface FolderFile {
  readonly name: string;
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Options of writing. */
interface FolderOptions {
  /** The folder's name in messages. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Receives the bytes so far. */
  readonly onProgress: (bytes: number) => void;
}

/**
 * Writes the files into a folder beside the path, which must not exist, and renames it. Returns the
 * number of bytes. Any failure (UNWRITABLE_FILE, the signal's reason, an error of the pieces)
 * leaves nothing.
 */
export async function writeFolder(
  path: string,
  files: readonly FolderFile[],
  { name, signal, onProgress }: FolderOptions,
): Promise<number> {
  const unfinished = temporaryName(path);
  const discard = (): void => rmSync(unfinished, { recursive: true, force: true });
  process.on("exit", discard);
  let bytes = 0;
  try {
    // A killed process with the same id may have left one.
    await asWriting(name, rm(unfinished, { recursive: true, force: true }));
    await asWriting(name, mkdir(unfinished));
    for (const file of files) {
      const before = bytes;
      bytes += await writeWhole(join(unfinished, file.name), file.pieces, {
        name: `${name}/${file.name}`,
        signal,
        onProgress: (ofFile) => onProgress(before + ofFile),
      });
    }
    await asWriting(name, rename(unfinished, path));
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => {});
    throw error;
  } finally {
    process.off("exit", discard);
  }
  await syncFolder(name, dirname(path));
  return bytes;
}
