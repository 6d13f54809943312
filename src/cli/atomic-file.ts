/** Files of a training run: each is there whole or not at all, whatever ends the process. */
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PlmError } from "../errors.js";
import { withTemporaryFile } from "./temporary-file.js";

/** What an unfinished file is called: the name it would get, and this. */
const PART = ".unfinished";

/** Whether a file of that name is one that a killed process left. */
export function isUnfinished(name: string): boolean {
  return name.endsWith(PART);
}

/**
 * Writes beside the name, waits until that is on the disk, renames, and waits for the folder: the
 * order in which no moment has half a file under the name. What a killed process left goes first.
 * The folder is made if need be. Throws UNWRITABLE_FILE, the file being as it was unless the
 * message says otherwise.
 */
export async function writeAtomically(
  folder: string,
  name: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const target = join(folder, name);
  const part = target + PART;
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    await withTemporaryFile(part, async () => {
      await writeSynced(part, pieces);
      await rename(part, target);
    });
  } catch (cause) {
    const reason = (cause as Error).message;
    const message = `${target}: could not be written (what was there is intact): ${reason}`;
    throw new PlmError("UNWRITABLE_FILE", message, { cause });
  }
  await syncFolder(folder);
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (isUnfinished(name)) await rm(join(folder, name), { force: true });
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

/** Makes a rename last, where the system lets folders be opened for that; it is done anyway. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, "r");
  } catch {
    return;
  }
  try {
    await handle.sync();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EPERM" || code === "EINVAL" || code === "EISDIR") return;
    const reason = `${folder}: a file was written, but may not outlast a power failure: ${message}`;
    throw new PlmError("UNWRITABLE_FILE", reason, { cause });
  } finally {
    await handle.close();
  }
}
