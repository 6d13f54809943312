/** Node, and Deno and Bun through their Node layers. */
import type * as crypto from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { setImmediate } from "node:timers";
import type { fileURLToPath } from "node:url";
import type { getHeapStatistics } from "node:v8";
import type { Worker } from "node:worker_threads";
import type { ByteSource } from "../format/byte-source.js";
import type { Sha256 } from "../format/sha256.js";
import { attempt } from "../sources/attempt.js";
import { OpenFileSource } from "../sources/open-file-source.js";
import type { DiskModules } from "./disk-modules.js";
import { createDiskStore } from "./disk-store.js";
import { createYield } from "./event-loop.js";
import type { Platform } from "./platform.js";
import { startThreadIn, type ThreadScript, type ThreadWorker } from "./thread-worker.js";

/** What the platform uses of Node's modules, however they were found. */
export interface NodeModules extends DiskModules {
  loadCrypto(): Promise<Pick<typeof crypto, "createHash">>;
  readonly setImmediate: typeof setImmediate;
  readonly fileURLToPath: typeof fileURLToPath;
  readonly getHeapStatistics: typeof getHeapStatistics;
  readonly Worker: typeof Worker;
  /** Workers that run the package's own scripts: of threads, and of models. */
  createThread(): ThreadWorker;
  createWorker(): ThreadWorker;
}

/** The longest array in any Node. */
const MOST_ARRAY_BYTES = 2 ** 32;

/** A file that its source closes. */
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

function openFile(modules: NodeModules, path: string | URL): Promise<ByteSource> {
  const { fs, fileURLToPath } = modules;
  const name = String(path);
  return attempt(name, async () => {
    const file = typeof path === "string" ? path : fileURLToPath(path.href);
    // Opening a pipe would wait for its writer.
    const found = await fs.stat(file);
    if (!found.isFile()) throw new Error("expected a regular file");
    return new PathSource(await fs.open(file, "r"), name, found.size);
  });
}

async function listFolder(
  { fs, fileURLToPath }: NodeModules,
  path: string | URL,
): Promise<string[] | undefined> {
  try {
    const folder = typeof path === "string" ? path : fileURLToPath(path.href);
    if (!(await fs.stat(folder)).isDirectory()) return undefined;
    const names = await fs.readdir(folder);
    return names.map((name) => `${folder.replace(/[\\/]+$/, "")}/${name}`);
  } catch {
    return undefined;
  }
}

/** A string is a path, unless it has a scheme; one letter before the colon is a drive. */
function scripted({ Worker }: NodeModules, script: ThreadScript): ThreadWorker {
  if (typeof script === "function") return script();
  const isUrl = typeof script === "object" || /^[a-z][a-z0-9+.-]+:/i.test(script);
  return new Worker(isUrl ? new URL(script) : script, { execArgv: [] });
}

/** An array that the engine counts and whose pages are never touched. */
function countSharedMemory(bytes: number): ArrayBuffer | undefined {
  if (!isPlainV8()) return undefined;
  try {
    return new ArrayBuffer(Math.min(bytes, MOST_ARRAY_BYTES));
  } catch {
    return undefined;
  }
}

/** Whether arrays are V8's and take no memory until touched; in Electron they take it at once. */
function isPlainV8(): boolean {
  const { versions } = globalThis.process;
  return versions.bun === undefined && versions.electron === undefined;
}

/** Makes the engine collect at once; undefined where nothing does. */
function createCollector({ getHeapStatistics }: NodeModules): (() => void) | undefined {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  if (!isPlainV8()) return undefined;
  return () => {
    // V8 collects when memory outside its heap grows by over half of the heap's limit.
    const leastBytes = getHeapStatistics().heap_size_limit / 2;
    const arrays: ArrayBuffer[] = [];
    for (let bytes = 0; bytes <= leastBytes; bytes += MOST_ARRAY_BYTES) {
      const array = countSharedMemory(leastBytes * 1.1);
      if (array === undefined) return;
      arrays.push(array);
    }
  };
}

/** 0 and more than there is mean no limit. */
function deviceMemoryBytes({ os }: NodeModules): number {
  const total = os.totalmem();
  // Not every runtime has it.
  const process: Partial<NodeJS.Process> = globalThis.process;
  return Math.min(total, process.constrainedMemory?.() || total);
}

function peakMemoryBytes(): number | undefined {
  // Not every Deno has it.
  const process: Partial<NodeJS.Process> = globalThis.process;
  return process.resourceUsage && process.resourceUsage().maxRSS * 1024;
}

/** Deno asks for permission, or refuses. */
function environment(name: string): string | undefined {
  try {
    return globalThis.process.env[name] || undefined;
  } catch {
    return undefined;
  }
}

async function createSha256({ loadCrypto }: NodeModules): Promise<Sha256> {
  const { createHash } = await loadCrypto();
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
}

export function createNodePlatform(modules: NodeModules): Platform {
  const createThread = (script?: ThreadScript): ThreadWorker =>
    script === undefined ? modules.createThread() : scripted(modules, script);
  return {
    hasFiles: true,
    openFile: (path) => openFile(modules, path),
    listFolder: (path) => listFolder(modules, path),
    openStore: async () => createDiskStore(modules, environment),
    hasHttpCache: false,
    environment,
    createSha256: () => createSha256(modules),
    yieldToEventLoop: createYield(modules.setImmediate),
    hasThreads: () => true,
    hasWorkers: () => true,
    createWorker: (script) =>
      script === undefined ? modules.createWorker() : scripted(modules, script),
    parallelism: () => modules.os.availableParallelism(),
    maySleep: () => true,
    startThread: (start, script) => startThreadIn(() => createThread(script), script, start),
    countSharedMemory,
    collectSharedMemory: createCollector(modules),
    fillsBuffers: false,
    freeBuffer: () => undefined,
    deviceMemoryBytes: () => deviceMemoryBytes(modules),
    peakMemoryBytes,
  };
}
