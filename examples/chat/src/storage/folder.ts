/** Folders of the browser's own file system (OPFS). */

const ROOT = "plm-chat";

/** A folder of the page; undefined where the browser has no such file system or refuses it. */
export async function openFolder(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    if (!("createWritable" in FileSystemFileHandle.prototype)) return undefined;
    const root = await navigator.storage.getDirectory();
    const own = await root.getDirectoryHandle(ROOT, { create: true });
    return await own.getDirectoryHandle(name, { create: true });
  } catch {
    return undefined;
  }
}

/** A folder's files with their names. */
export async function filesIn(folder: FileSystemDirectoryHandle): Promise<File[]> {
  const files: File[] = [];
  for await (const handle of folder.values()) {
    if (handle.kind === "file") files.push(await handle.getFile());
  }
  return files;
}

/** Writes a whole file, or nothing. Rejects where there is no room. */
export async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Blob | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  try {
    await writable.write(content);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    await removeFile(folder, name);
    throw error;
  }
}

/** Removes a file that may not be there. */
export async function removeFile(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  await folder.removeEntry(name).catch(() => {});
}

/** Bytes that the browser still has for the page; undefined where it does not say. */
export async function freeBytes(): Promise<number | undefined> {
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined ? undefined : Math.max(0, quota - (usage ?? 0));
  } catch {
    return undefined;
  }
}
