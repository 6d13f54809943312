/** Downloaded files on disk: a folder each, in the user's cache folder. */
import type { FileStore, StoreEntry } from "../store/file-store.js";
import { DiskEntry } from "./disk-entry.js";
import { type DiskModules, ignoreMissing } from "./disk-modules.js";

type Environment = (name: string) => string | undefined;

/** Above the folder of this package, joined with "/", which Windows takes as well. */
function cacheFolder({ os }: DiskModules, environment: Environment): string {
  const home = os.homedir();
  // A relative path there is invalid and is to be ignored (XDG Base Directory Specification).
  const named = environment("XDG_CACHE_HOME");
  if (named !== undefined && /^(?:[\\/]|[a-z]:[\\/])/i.test(named)) return named;
  switch (os.platform()) {
    case "win32":
      return environment("LOCALAPPDATA") ?? `${home}/AppData/Local`;
    case "darwin":
      return `${home}/Library/Caches`;
    default:
      return `${home}/.cache`;
  }
}

/** The store in the folder that the environment names. */
export function createDiskStore(modules: DiskModules, environment: Environment): FileStore {
  const { fs } = modules;
  const place = `${cacheFolder(modules, environment)}/plm-wasm/models`;
  return {
    place,
    async keys() {
      const found = await fs.readdir(place, { withFileTypes: true }).catch(ignoreMissing);
      return (found ?? []).filter((each) => each.isDirectory()).map(({ name }) => name);
    },
    entry: (key): StoreEntry => new DiskEntry(modules, `${place}/${key}`),
    async freeBytes() {
      // Not every runtime has it.
      if (typeof fs.statfs !== "function") return undefined;
      await fs.mkdir(place, { recursive: true });
      const { bavail, bsize } = await fs.statfs(place);
      return bavail * bsize;
    },
    persist: async () => true,
  };
}
