/** Files that are not to outlive the process that writes them. */
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";

/**
 * Runs `write`, which makes a file and in the end renames it. Where that fails the file is removed,
 * and so it is where the process ends meanwhile by process.exit: a second signal, a reader of
 * standard output that has gone.
 */
export async function withTemporaryFile<T>(path: string, write: () => Promise<T>): Promise<T> {
  const discard = (): void => rmSync(path, { force: true });
  process.on("exit", discard);
  try {
    return await write();
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  } finally {
    process.off("exit", discard);
  }
}
