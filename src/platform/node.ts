/** Node, and Deno and Bun through their Node layers. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { PlmError, reasonOf } from "../errors.js";
import { OpenFileSource } from "../format/open-file-source.js";
import type { ByteSource } from "../format/source.js";
import type { Platform, ThreadHandle } from "./platform.js";

function unreadable(path: string, cause: unknown): PlmError {
  return new PlmError("UNREADABLE_FILE", `${path}: ${reasonOf(cause)}`, { cause });
}

/** A file that is closed with its source. */
class PathSource extends OpenFileSource {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, name: string, size: number) {
    super(handle, name, size);
    this.#handle = handle;
  }

  override close(): Promise<void> {
    return this.#handle.close();
  }
}

async function openFile(path: string | URL): Promise<ByteSource> {
  const name = String(path);
  try {
    const file = typeof path === "string" ? path : fileURLToPath(path.href);
    // Opening a pipe would wait for its writer.
    const { size } = await stat(file).then((found) => {
      if (!found.isFile()) throw new Error("not a regular file");
      return found;
    });
    return new PathSource(await open(file, "r"), name, size);
  } catch (error) {
    throw unreadable(name, error);
  }
}

function startThread(data: unknown): ThreadHandle {
  // Of the program's own flags some, such as --input-type, do not suit a file.
  const options = { workerData: data, execArgv: [] };
  const worker = new Worker(new URL("../threads/node.js", import.meta.url), options);
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread ended")));
  });
  // Waiting threads do not keep a program alive; who awaits `ready` has a timer that does.
  worker.unref();
  return { ready, end: () => void worker.terminate() };
}

function peakMemoryBytes(): number | undefined {
  // Not every Deno has it.
  const resourceUsage: typeof process.resourceUsage | undefined = process.resourceUsage;
  return resourceUsage === undefined ? undefined : resourceUsage.call(process).maxRSS * 1024;
}

const platform: Platform = {
  hasFiles: true,
  openFile,
  yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
  hasThreads: () => true,
  parallelism: availableParallelism,
  maySleep: () => true,
  startThread,
  peakMemoryBytes,
};
export default platform;
