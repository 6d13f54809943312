/** A lock between pages and workers of one origin, which ends with its holder. */
import type { EntryLock } from "../store/file-store.js";

/** The lock, or undefined if another has it. Without the Web Locks API nothing is locked. */
export function takeWebLock(name: string): Promise<EntryLock | undefined> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return Promise.resolve({ release: async () => undefined });
  return new Promise((resolve, reject) => {
    const request = locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        resolve(undefined);
        return undefined;
      }
      // The lock is held until what this returns settles.
      return new Promise<void>((release) => {
        resolve({ release: async () => release() });
      });
    });
    request.catch(reject);
  });
}
