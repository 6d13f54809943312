/** Node, and Deno and Bun through their Node layers. */
import type { FileHandle, open, stat } from "node:fs/promises";
import type { availableParallelism } from "node:os";
import type { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/source.js";
import type { Platform } from "./platform.js";
import { startThreadIn, type ThreadScript, type ThreadWorker } from "./thread-worker.js";

/** What the platform takes of Node's modules, however they were found. */
export interface NodeModules {
  readonly open: typeof open;
  readonly stat: typeof stat;
  readonly availableParallelism: typeof availableParallelism;
  readonly fileURLToPath: typeof fileURLToPath;
  readonly Worker: typeof Worker;
  /** A worker that runs the package's own script. */
  createThread(): ThreadWorker;
}

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

async function openFile(modules: NodeModules, path: string | URL): Promise<ByteSource> {
  const { open, stat, fileURLToPath } = modules;
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

/** A string is a path, unless it has a scheme; one letter before the colon is a drive. */
function createWorker({ Worker, createThread }: NodeModules, script?: ThreadScript): ThreadWorker {
  if (script === undefined) return createThread();
  if (typeof script === "function") return script();
  const isUrl = typeof script === "object" || /^[a-z][a-z0-9+.-]+:/i.test(script);
  return new Worker(isUrl ? new URL(script) : script, { execArgv: [] });
}

function peakMemoryBytes(): number | undefined {
  // Not every Deno has it.
  const process: Partial<NodeJS.Process> = globalThis.process;
  return process.resourceUsage && process.resourceUsage().maxRSS * 1024;
}

export function createNodePlatform(modules: NodeModules): Platform {
  return {
    hasFiles: true,
    openFile: (path) => openFile(modules, path),
    yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
    hasThreads: () => true,
    parallelism: () => modules.availableParallelism(),
    maySleep: () => true,
    startThread: (start, script) =>
      startThreadIn(() => createWorker(modules, script), script, start),
    peakMemoryBytes,
  };
}
