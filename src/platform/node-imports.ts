/** Node's platform with its modules imported, where the `node` condition holds. */
import * as fs from "node:fs/promises";
import * as os from "node:os";
import { setImmediate } from "node:timers";
import { fileURLToPath } from "node:url";
import { getHeapStatistics } from "node:v8";
// Without "node:", webpack follows `new Worker` to the thread's script.
// biome-ignore lint/style/useNodejsImportProtocol: see above
import { Worker } from "worker_threads";
import { createNodePlatform } from "./node.js";
import type { Platform } from "./platform.js";

function createThread(): Worker {
  // Webpack follows this form. The brackets hide it from Vite and Vitest, which would change it.
  // Some of the program's own flags, such as --input-type, do not suit a file.
  // biome-ignore lint/complexity/useLiteralKeys: see above
  return new Worker(new URL("../threads/node.js", import.meta["url"]), { execArgv: [] });
}

function createWorker(): Worker {
  // biome-ignore lint/complexity/useLiteralKeys: see above
  return new Worker(new URL("../worker/node.js", import.meta["url"]), { execArgv: [] });
}

const modules = {
  ...{ fs, os, setImmediate, fileURLToPath, getHeapStatistics },
  ...{ Worker, createThread, createWorker },
  // Takes ten times as long to load as the others.
  loadCrypto: () => import("node:crypto"),
};
const platform: Platform = createNodePlatform(modules);
export default platform;
