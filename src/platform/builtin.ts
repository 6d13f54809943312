/**
 * Node's modules without an import: a bundler that sets no `node` condition takes the web's files,
 * and Node, Deno or Bun may run them.
 */
import type * as crypto from "node:crypto";
import type * as files from "node:fs/promises";
import type * as os from "node:os";
import type * as timers from "node:timers";
import type * as url from "node:url";
import type * as v8 from "node:v8";
import type * as threads from "node:worker_threads";

/** Types of the modules that can be requested. */
interface Builtins {
  "node:crypto": typeof crypto;
  "node:fs/promises": typeof files;
  "node:os": typeof os;
  "node:timers": typeof timers;
  "node:url": typeof url;
  "node:v8": typeof v8;
  "node:worker_threads": typeof threads;
}

/**
 * A module of Node's, or undefined in browsers, in runtimes that only have parts of Node, and in
 * Node before 20.16. Electron's windows count as browsers: their workers are the web's.
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const process = globalThis.process as Partial<NodeJS.Process & { type: string }> | undefined;
  if (process?.versions?.node === undefined || process.type === "renderer") return undefined;
  if (globalThis.navigator?.userAgent === "Cloudflare-Workers") return undefined;
  return process.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}
