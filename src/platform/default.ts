/** The platform if no condition names one: Node's if this is Node after all, else the web's. */
import { builtin } from "./builtin.js";
import { createNodePlatform } from "./node.js";
import type { Platform } from "./platform.js";
import web from "./web.js";

/** Not in the form that bundlers follow: they would copy the file without its imports. */
const HERE = import.meta.url;
const THREAD_SCRIPT = "../threads/web.js";
const WORKER_SCRIPT = "../worker/web.js";

function findNodePlatform(): Platform | undefined {
  const crypto = builtin("node:crypto");
  const fs = builtin("node:fs/promises");
  const os = builtin("node:os");
  const timers = builtin("node:timers");
  const url = builtin("node:url");
  const v8 = builtin("node:v8");
  const threads = builtin("node:worker_threads");
  if (!crypto || !fs || !os || !timers || !url || !v8 || !threads) return undefined;
  const { Worker } = threads;
  return createNodePlatform({
    ...{ fs, os, loadCrypto: async () => crypto },
    setImmediate: timers.setImmediate,
    fileURLToPath: url.fileURLToPath,
    getHeapStatistics: v8.getHeapStatistics,
    Worker,
    createThread: () => new Worker(new URL(THREAD_SCRIPT, HERE), { execArgv: [] }),
    createWorker: () => new Worker(new URL(WORKER_SCRIPT, HERE), { execArgv: [] }),
  });
}

const platform: Platform = findNodePlatform() ?? web;
export default platform;
