/** The platform where no condition names one: Node's if this is Node after all, else the web's. */
import { builtin } from "./builtin.js";
import { createNodePlatform } from "./node.js";
import type { Platform } from "./platform.js";
import web from "./web.js";

/** Not in the form that bundlers follow: they would copy the file without what it imports. */
const HERE = import.meta.url;
const THREAD_SCRIPT = "../threads/web.js";

function findNodePlatform(): Platform | undefined {
  const files = builtin("node:fs/promises");
  const os = builtin("node:os");
  const url = builtin("node:url");
  const threads = builtin("node:worker_threads");
  if (!files || !os || !url || !threads) return undefined;
  const { Worker } = threads;
  return createNodePlatform({
    open: files.open,
    stat: files.stat,
    availableParallelism: os.availableParallelism,
    fileURLToPath: url.fileURLToPath,
    Worker,
    createThread: () => new Worker(new URL(THREAD_SCRIPT, HERE), { execArgv: [] }),
  });
}

const platform: Platform = findNodePlatform() ?? web;
export default platform;
