/** Browsers, workers and other runtimes without a file system. */

import { setTimer } from "../clock.js";
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { hasMessages, passMessage } from "./event-loop.js";
import type { Platform } from "./platform.js";
import { startThreadIn, type ThreadScript, type ThreadWorker } from "./thread-worker.js";
import { createWebSha256 } from "./web-sha256.js";
import { openWebStore } from "./web-store.js";

function openFile(path: string | URL): Promise<ByteSource> {
  const message = `${path}: this runtime has no files; pass a URL, a Blob, bytes or a stream`;
  return Promise.reject(new PlmError("UNSUPPORTED_RUNTIME", message));
}

/** Whether this is workerd, which handles messages before timers and input. */
const isWorkerd = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** Only Chromium has this, in secure contexts. */
const isChromium = "userAgentData" in (globalThis.navigator ?? {});

/** Every browser of iOS among them. Chromium calls itself both, also as HeadlessChrome. */
const isWebKit = /AppleWebKit\/(?!.*Chrom(e|ium)\/)/.test(globalThis.navigator?.userAgent ?? "");

/** Older engines lack `transfer`. */
function freeBuffer(buffer: ArrayBufferLike): void {
  const { transfer } = buffer as { transfer?: (length: number) => unknown };
  if (isWebKit) transfer?.call(buffer, 0);
}

/** Through a message, since browsers delay nested timers by 4 ms. */
function yieldToEventLoop(): Promise<void> {
  if (hasMessages && !isWorkerd) return passMessage();
  // Where there are no timers, there is nothing to yield to.
  return new Promise((resolve) => (setTimer === undefined ? resolve() : setTimer(resolve, 0)));
}

/** Threads share memory, which browsers allow only to cross-origin isolated pages. */
function hasThreads(): boolean {
  const isShareable = globalThis.crossOriginIsolated && typeof SharedArrayBuffer === "function";
  return isShareable && typeof Worker === "function";
}

function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Chromium says it in GiB, at most 8; others do not. */
function deviceMemoryBytes(): number | undefined {
  const { deviceMemory } = (globalThis.navigator ?? {}) as { deviceMemory?: number };
  return deviceMemory === undefined ? undefined : deviceMemory * 2 ** 30;
}

/** A worker that runs the caller's script. */
function scripted(script: ThreadScript): ThreadWorker {
  return typeof script === "function" ? script() : new Worker(script, { type: "module" });
}

// Bundlers follow these literal forms.

function createThread(script?: ThreadScript): ThreadWorker {
  if (script !== undefined) return scripted(script);
  return new Worker(new URL("../threads/web.js", import.meta.url), { type: "module" });
}

function createWorker(script?: ThreadScript): ThreadWorker {
  if (script !== undefined) return scripted(script);
  return new Worker(new URL("../worker/web.js", import.meta.url), { type: "module" });
}

const platform: Platform = {
  hasFiles: false,
  openFile,
  listFolder: async () => undefined,
  openStore: openWebStore,
  hasHttpCache: !isWorkerd,
  environment: () => undefined,
  createSha256: createWebSha256,
  yieldToEventLoop,
  hasThreads,
  hasWorkers: () => typeof Worker === "function",
  createWorker,
  parallelism: () => globalThis.navigator?.hardwareConcurrency ?? 1,
  maySleep,
  startThread: (start, script) => startThreadIn(() => createThread(script), script, start),
  countSharedMemory: () => undefined,
  fillsBuffers: isChromium,
  freeBuffer,
  deviceMemoryBytes,
  peakMemoryBytes: () => undefined,
};
export default platform;
