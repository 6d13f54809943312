/** Picked model files that the browser keeps a copy of. */
import { filesIn, freeBytes, openFolder, removeFile, writeFile } from "../storage/folder.js";

export interface KeptFile {
  readonly name: string;
  readonly bytes: number;
}

export async function listKept(): Promise<KeptFile[]> {
  const folder = await openFolder("models");
  if (folder === undefined) return [];
  const files = await filesIn(folder).catch(() => []);
  return files.map(({ name, size }) => ({ name, bytes: size }));
}

/** Copies a file. Rejects with a sentence that says why it cannot be kept. */
export async function keepFile(file: File): Promise<void> {
  const folder = await openFolder("models");
  if (folder === undefined) throw new Error("This browser does not let the page keep files.");
  const free = await freeBytes();
  const full = "There is no room in the browser's storage to keep the file.";
  if (free !== undefined && free < file.size) throw new Error(full);
  try {
    await writeFile(folder, file.name, file);
  } catch {
    throw new Error(full);
  }
}

/** Rejects if it is gone. */
export async function openKept(name: string): Promise<File> {
  const folder = await openFolder("models");
  if (folder === undefined) throw new Error(`${name}: the browser does not keep it any more.`);
  return (await folder.getFileHandle(name)).getFile();
}

export async function removeKept(name: string): Promise<void> {
  const folder = await openFolder("models");
  if (folder !== undefined) await removeFile(folder, name);
}
