/** Browsers, workers and other runtimes without a file system. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/source.js";
import { setTimer } from "./clock.js";
import { hasMessages, passMessage } from "./event-loop.js";
import { type Platform, RETURN_MS, type ThreadHandle } from "./platform.js";

function openFile(path: string | URL): Promise<ByteSource> {
  const message = `${path}: this runtime has no files; pass a URL, a Blob, bytes or a stream`;
  return Promise.reject(new PlmError("UNSUPPORTED_RUNTIME", message));
}

/** Whether this is workerd: there messages are handled before any timer or input gets its turn. */
const isWorkerd = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** Through a message, since browsers hold nested timers back by 4 ms. */
function yieldToEventLoop(): Promise<void> {
  if (hasMessages && !isWorkerd) return passMessage();
  // Where there are no timers, there is nothing that a turn could be given to.
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

function startThread(data: unknown): ThreadHandle {
  const worker = new Worker(new URL("../threads/web.js", import.meta.url), { type: "module" });
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message ?? "the thread did not start"));
  });
  worker.postMessage(data);
  return { ready, end: () => void setTimer(() => worker.terminate(), RETURN_MS) };
}

const platform: Platform = {
  hasFiles: false,
  openFile,
  yieldToEventLoop,
  hasThreads,
  parallelism: () => globalThis.navigator?.hardwareConcurrency ?? 1,
  maySleep,
  startThread,
  countSharedMemory: () => undefined,
  collectSharedMemory: () => undefined,
  peakMemoryBytes: () => undefined,
};
export default platform;
