/** A folder of checkpoints: each file is there whole or not at all, whatever ends the process. */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PlmError } from "../errors.js";
import type { CheckpointStore } from "../training/checkpoints.js";

/** What an unfinished file is called: the name it would get, and this. */
const PART = ".unfinished";

/** The store of a folder, which is made when the first file is written. One process at a time. */
export function folderStore(folder: string): CheckpointStore {
  return {
    list: () => listFolder(folder),
    read: (name) => readWhole(join(folder, name)),
    writeAtomically: (name, pieces) => writeAtomically(folder, name, pieces),
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => !name.endsWith(PART));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(folder, cause);
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): PlmError {
  const reason = (cause as Error).message;
  const message = `${path}: expected a readable file, got ${reason}`;
  return new PlmError("UNREADABLE_FILE", message, { cause });
}

/**
 * Writes beside the name, waits until that is on the disk, renames, and waits for the folder: the
 * order in which no moment has half a file under the name. What a killed process left goes first.
 */
async function writeAtomically(
  folder: string,
  name: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const target = join(folder, name);
  const part = target + PART;
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    await writeSynced(part, pieces);
    await rename(part, target);
    await syncFolder(folder);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    const reason = (cause as Error).message;
    const message = `${target}: could not be written (earlier checkpoints are intact): ${reason}`;
    throw new PlmError("UNWRITABLE_FILE", message, { cause });
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(PART)) await rm(join(folder, name), { force: true });
  }
}

async function writeSynced(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last; systems that cannot open folders do so by themselves. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, "r");
  } catch {
    return;
  }
  try {
    await handle.sync();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPERM" && code !== "EINVAL" && code !== "EISDIR") throw error;
  } finally {
    await handle.close();
  }
}
