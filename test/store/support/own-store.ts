/** A store of the test's own, on disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

/** Makes an empty folder the store of this process and those that it starts; returns its path. */
export function useOwnStore(): string {
  const folder = mkdtempSync(join(tmpdir(), "plm-store-"));
  folders.push(folder);
  process.env.XDG_CACHE_HOME = folder;
  return join(folder, "plm-wasm", "models");
}

/** Removes all such folders. */
export function removeOwnStores(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** All files of a store, by their paths in it. */
export function filesIn(store: string): string[] {
  try {
    const found = readdirSync(store, { recursive: true, withFileTypes: true });
    return found.filter((each) => each.isFile()).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The bytes of the store's only whole file. */
export function onlyModel(store: string): Uint8Array {
  const [key] = readdirSync(store);
  return readFileSync(join(store, key, "model"));
}
