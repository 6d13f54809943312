/** What files on disk need of Node's modules. */
import type * as Fs from "node:fs/promises";
import type * as Os from "node:os";

export interface DiskModules {
  readonly fs: typeof Fs;
  readonly os: typeof Os;
}

/** Undefined for a file or folder that does not exist; other errors are thrown. */
export function ignoreMissing(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT") throw cause;
}
