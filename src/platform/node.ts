/** Node, and Deno and Bun through their Node layers. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import process from "node:process";
import { setImmediate } from "node:timers";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/source.js";
import { createYield } from "./event-loop.js";
import type { Platform, ThreadHandle } from "./platform.js";

/** One system read is at most this long, so that an abort is noticed within it. */
const READ_BYTES = 16 << 20;

function unreadable(path: string, cause: unknown): PlmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PlmError("UNREADABLE_FILE", `${path}: ${reason}`, { cause });
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly #handle: FileHandle;

  constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    let done = 0;
    while (done < target.length) {
      signal?.throwIfAborted();
      const length = Math.min(target.length - done, READ_BYTES);
      const bytesRead = await this.#readOnce(target, done, length, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    signal?.throwIfAborted();
    return done;
  }

  async #readOnce(target: Uint8Array, at: number, length: number, offset: number): Promise<number> {
    try {
      return (await this.#handle.read(target, at, length, offset)).bytesRead;
    } catch (error) {
      throw unreadable(this.name, error);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function openFile(path: string | URL): Promise<ByteSource> {
  const name = String(path);
  try {
    const file = path instanceof URL ? fileURLToPath(path) : path;
    // Opening a pipe would wait for its writer.
    const { size } = await stat(file).then((found) => {
      if (!found.isFile()) throw new Error("not a regular file");
      return found;
    });
    return new FileSource(name, size, await open(file, "r"));
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
  yieldToEventLoop: createYield(setImmediate),
  hasThreads: () => true,
  parallelism: availableParallelism,
  maySleep: () => true,
  startThread,
  peakMemoryBytes,
};
export default platform;
