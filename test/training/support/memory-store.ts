/** Checkpoints in memory. */
import type { CheckpointStore } from "../../../src/training/run/checkpoints.js";

/** A store that forgets everything with the process. */
export function memoryStore(): CheckpointStore {
  const files = new Map<string, Uint8Array>();
  return {
    list: async () => [...files.keys()],
    read: async (name) => files.get(name)!.slice(),
    writeAtomically: async (name, pieces) => {
      files.set(name, Buffer.concat([...pieces]));
    },
    remove: async (name) => {
      files.delete(name);
    },
  };
}
