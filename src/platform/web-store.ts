/** Downloaded files in a browser: in the origin private file system, else in the Cache API. */
import { PlmError } from "../errors.js";
import type { FileStore } from "../store/file-store.js";
import { BlobEntry, type BlobFolder } from "./blob-entry.js";

/** The folder, or the cache, of this package. */
const NAME = "plm-wasm";

/** Keys of the Cache API are URLs; nothing is requested from this one. */
const CACHE_ORIGIN = "https://plm-wasm.invalid/";

/** Throws UNSUPPORTED_RUNTIME where the browser has neither, or refuses both. */
export async function openWebStore(): Promise<FileStore> {
  const store = (await openPrivateFiles()) ?? (await openCache());
  if (store !== undefined) return store;
  const expected = "expected the origin private file system or the Cache API";
  throw new PlmError("UNSUPPORTED_RUNTIME", `store: ${expected}, this runtime has neither`);
}

const quota = {
  async freeBytes(): Promise<number | undefined> {
    const estimate = await globalThis.navigator?.storage?.estimate?.();
    return estimate?.quota && Math.max(0, estimate.quota - (estimate.usage ?? 0));
  },
  async persist(): Promise<boolean> {
    return (await globalThis.navigator?.storage?.persist?.()) ?? false;
  },
};

/** Undefined where it is missing, refused, or can only be written in workers. */
async function openPrivateFiles(): Promise<FileStore | undefined> {
  if (typeof globalThis.FileSystemFileHandle?.prototype.createWritable !== "function") {
    return undefined;
  }
  let root: FileSystemDirectoryHandle;
  try {
    const origin = await navigator.storage.getDirectory();
    root = await origin.getDirectoryHandle(NAME, { create: true });
  } catch {
    return undefined;
  }
  return {
    place: "the origin private file system",
    keys: () => namesIn(root),
    entry: (key) => new BlobEntry(privateFolder(root, key), key),
    ...quota,
  };
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  // Not every library of types has its iterator.
  const { keys } = folder as unknown as { keys(): AsyncIterable<string> };
  for await (const name of keys.call(folder)) names.push(name);
  return names;
}

function privateFolder(root: FileSystemDirectoryHandle, key: string): BlobFolder {
  return {
    async get(name) {
      try {
        const folder = await root.getDirectoryHandle(key);
        return await (await folder.getFileHandle(name)).getFile();
      } catch (cause) {
        return ignoreMissing(cause);
      }
    },
    async put(name, bytes) {
      const folder = await root.getDirectoryHandle(key, { create: true });
      const file = await folder.getFileHandle(name, { create: true });
      const writable = await file.createWritable();
      try {
        await writable.write(bytes as Uint8Array<ArrayBuffer>);
      } catch (error) {
        await writable.abort().catch(() => undefined);
        throw error;
      }
      await writable.close();
    },
    async remove() {
      await root.removeEntry(key, { recursive: true }).catch(ignoreMissing);
    },
  };
}

/** Undefined for what does not exist; other errors are thrown. */
function ignoreMissing(cause: unknown): undefined {
  if ((cause as DOMException).name !== "NotFoundError") throw cause;
}

/** Undefined where it is missing, refused (pages that are not secure), or cannot be listed. */
async function openCache(): Promise<FileStore | undefined> {
  let cache: Cache;
  try {
    cache = await globalThis.caches.open(NAME);
    await cache.keys();
  } catch {
    return undefined;
  }
  const urlsOf = async (key: string): Promise<readonly Request[]> =>
    (await cache.keys()).filter(({ url }) => url.startsWith(`${CACHE_ORIGIN}${key}/`));
  return {
    place: "the Cache API",
    async keys() {
      const urls = (await cache.keys()).map(({ url }) => url.slice(CACHE_ORIGIN.length));
      return [...new Set(urls.map((url) => url.split("/")[0]))];
    },
    entry: (key) => {
      const folder: BlobFolder = {
        async get(name) {
          return (await cache.match(`${CACHE_ORIGIN}${key}/${name}`))?.blob();
        },
        put: (name, bytes) =>
          cache.put(
            `${CACHE_ORIGIN}${key}/${name}`,
            new Response(bytes as Uint8Array<ArrayBuffer>),
          ),
        async remove() {
          for (const request of await urlsOf(key)) await cache.delete(request);
        },
      };
      return new BlobEntry(folder, key);
    },
    ...quota,
  };
}
