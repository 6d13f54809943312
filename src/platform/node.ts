/** Node, and Deno and Bun through their Node layers. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import process from "node:process";
import { setImmediate } from "node:timers";
import { fileURLToPath } from "node:url";
import { getHeapStatistics } from "node:v8";
import { Worker } from "node:worker_threads";
import { PlmError, reasonOf } from "../errors.js";
import { OpenFileSource } from "../format/open-file-source.js";
import type { ByteSource } from "../format/source.js";
import { clearTimer, setTimer } from "./clock.js";
import { createYield } from "./event-loop.js";
import { type Platform, RETURN_MS, type ThreadHandle } from "./platform.js";

/** The longest array in any Node. */
const MOST_ARRAY_BYTES = 2 ** 32;

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
    worker.once("message", () => {
      // Waiting threads do not keep a program alive; starting ones do.
      worker.unref();
      resolve();
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread ended")));
  });
  return { ready, end: () => endDismissed(worker) };
}

/** Terminates a thread that was dismissed, unless it returns in time. */
export function endDismissed(worker: Worker): void {
  // In Deno terminate() does not end a thread that waits for others.
  const late = setTimer(() => void worker.terminate(), RETURN_MS);
  late.unref();
  worker.once("exit", () => clearTimer(late));
}

/** An array none of whose pages is ever touched, for the engine to count. */
function countSharedMemory(bytes: number): unknown {
  try {
    return new ArrayBuffer(Math.min(bytes, MOST_ARRAY_BYTES));
  } catch {
    return undefined;
  }
}

/** V8 collects at once when the memory outside its heap grows by over half of the heap's limit. */
function collectSharedMemory(): void {
  countSharedMemory(getHeapStatistics().heap_size_limit);
}

function peakMemoryBytes(): number | undefined {
  // Not every Deno has it.
  const resourceUsage: typeof process.resourceUsage | undefined = process.resourceUsage;
  return resourceUsage === undefined ? undefined : resourceUsage.call(process).maxRSS * 1024;
}

const platform: Platform = {
  hasFiles: true,
  openFile,
  yieldToEventLoop: createYield(setImmediate),
  hasThreads: () => true,
  parallelism: availableParallelism,
  maySleep: () => true,
  startThread,
  countSharedMemory,
  collectSharedMemory,
  peakMemoryBytes,
};
export default platform;
