/** The options of loading as they cross the border. */
import platform from "#platform";
import type { CheckpointOptions } from "../checkpoint/open-model.js";
import { kindOf } from "../describe.js";
import type { LoadOptions } from "../engine/load.js";
import type { ModelOptions } from "../engine/options.js";
import { invalidArgument } from "../errors.js";
import { parseUrl } from "../globals.js";
import { checkBinary } from "../kernels/load.js";
import { checkScript, type ThreadScript } from "../platform/thread-worker.js";
import type { SentLoadOptions } from "./protocol.js";

/** The options that are numbers, texts or flags; others are left out. */
const PLAIN: Readonly<Record<keyof ModelOptions | keyof CheckpointOptions | "variant", true>> = {
  ...{ contextLength: true, cacheType: true, attention: true, batchSize: true },
  ...{ maxSequences: true, cacheTokens: true, prefixCache: true, threads: true },
  ...{ precision: true, memoryLimitBytes: true, variant: true, quantize: true },
  ...{ profile: true, residentLayers: true },
};

/** What of the options goes to the worker. Throws INVALID_ARGUMENT for one that cannot. */
export function sendOptions(options: LoadOptions & CheckpointOptions): SentLoadOptions {
  const { threadScript, wasm } = options;
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(PLAIN) as (keyof typeof PLAIN)[]) {
    const value: unknown = options[name];
    const isPlain = typeof value !== "symbol" && Object(value) !== value;
    if (!isPlain) throw invalidArgument(name, "a number, a text or a flag", kindOf(value));
    if (value !== undefined) plain[name] = value;
  }
  if (wasm !== undefined) checkBinary(wasm);
  checkScript("threadScript", threadScript);
  if (typeof threadScript === "function") {
    throw invalidArgument("threadScript", "a path or URL beside `worker`", kindOf(threadScript));
  }
  return {
    ...plain,
    ...(wasm !== undefined && { wasm }),
    ...(threadScript !== undefined && { threadScript: sendScript(threadScript) as string }),
  };
}

/** A script as the program names it: relative to the page, where a name is a URL. */
export function sendScript(script: ThreadScript): ThreadScript {
  if (typeof script === "function") return script;
  const name = typeof script === "string" ? script : script.href;
  return platform.hasFiles ? name : parseUrl(name, globalThis.location?.href).href;
}
