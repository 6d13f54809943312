/** The evaluated rows of conversations as files: of each one, those of the branch shown last. */
import { inform } from "../interface/notices.js";
import { withDatabase } from "../storage/database.js";
import { filesIn, freeBytes, openFolder, removeFile, writeFile } from "../storage/folder.js";

/** Caches take at most this much of what the browser has left, and at most so many bytes. */
const MOST_SHARE = 0.3;
const MOST_BYTES = 1e9;

interface KeptCache {
  readonly id: string;
  readonly bytes: number;
  readonly savedMs: number;
}

let folder: Promise<FileSystemDirectoryHandle | undefined> | undefined;

const openCaches = (): Promise<FileSystemDirectoryHandle | undefined> => {
  folder ??= openFolder("caches");
  return folder;
};

/** The cache of a conversation; undefined if there is none. */
export async function readCache(id: string): Promise<Blob | undefined> {
  const place = await openCaches();
  if (place === undefined) {
    return (await withDatabase((database) => database.get("caches", id)))?.bytes;
  }
  try {
    return await (await place.getFileHandle(id)).getFile();
  } catch {
    return undefined;
  }
}

/** Keeps a conversation's cache; where there is no room, the oldest ones go. */
export async function writeCache(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (!(await makeRoom(id, bytes.length))) return;
  const place = await openCaches();
  if (place === undefined) {
    const kept = { bytes: new Blob([bytes]), savedMs: Date.now() };
    await withDatabase((database) => database.put("caches", kept, id));
    return;
  }
  try {
    await writeFile(place, id, bytes);
  } catch {
    inform("There is no room to keep what was evaluated. Conversations are kept as text.");
  }
}

export async function removeCache(id: string): Promise<void> {
  const place = await openCaches();
  if (place === undefined) await withDatabase((database) => database.delete("caches", id));
  else await removeFile(place, id);
}

/** Removes the oldest caches until one of so many bytes has room; whether it has. */
async function makeRoom(id: string, bytes: number): Promise<boolean> {
  const others = (await listCaches()).filter((cache) => cache.id !== id);
  let total = others.reduce((sum, cache) => sum + cache.bytes, 0);
  const free = (await freeBytes()) ?? MOST_BYTES;
  const most = Math.min(MOST_BYTES, (free + total) * MOST_SHARE);
  if (bytes > most) return false;
  for (const { id, bytes: freed } of others.sort((a, b) => a.savedMs - b.savedMs)) {
    if (total + bytes <= most) break;
    await removeCache(id);
    total -= freed;
  }
  return true;
}

async function listCaches(): Promise<KeptCache[]> {
  const place = await openCaches();
  if (place !== undefined) {
    const files = await filesIn(place).catch(() => []);
    return files.map(({ name, size, lastModified }) => ({
      id: name,
      bytes: size,
      savedMs: lastModified,
    }));
  }
  const list = await withDatabase(async (database) => {
    const [keys, values] = await Promise.all([
      database.getAllKeys("caches"),
      database.getAll("caches"),
    ]);
    return keys.map((id, i) => ({ id, bytes: values[i].bytes.size, savedMs: values[i].savedMs }));
  });
  return list ?? [];
}
