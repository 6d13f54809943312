/** A folder of checkpoints: each file is there whole or not at all, whatever ends the process. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PlmError } from "../errors.js";
import type { CheckpointStore } from "../training/run/checkpoints.js";
import { isUnfinished, writeAtomically } from "./atomic-file.js";

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
    return names.filter((name) => !isUnfinished(name));
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
