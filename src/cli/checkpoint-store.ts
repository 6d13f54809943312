/** The folder of a training run, whose files are written atomically. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PlmError } from "../errors.js";
import type { CheckpointStore } from "../training/run/checkpoints.js";
import { asWriting, isUnfinished, writeWhole } from "./write-whole.js";

/** The store of a folder, created with the first file. For one process at a time. */
export function folderStore(folder: string): CheckpointStore {
  return {
    list: () => listFolder(folder),
    read: (name) => readWhole(join(folder, name)),
    writeAtomically: (name, pieces) => writeInto(folder, name, pieces),
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

/** Writes a file of the folder, after removing those that a killed process left unfinished. */
async function writeInto(
  folder: string,
  name: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const path = join(folder, name);
  await asWriting(path, mkdir(folder, { recursive: true }));
  for (const left of await asWriting(path, readdir(folder))) {
    if (isUnfinished(left)) await asWriting(path, rm(join(folder, left), { force: true }));
  }
  await writeWhole(path, pieces);
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
