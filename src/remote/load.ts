/** Loads a model into a worker of its own. */
import platform from "#platform";
import { clearTimer, setTimer, type Timer } from "../clock.js";
import { kindOf } from "../describe.js";
import type { LoadOptions } from "../engine/load.js";
import { invalidArgument, PlmError, reasonOf } from "../errors.js";
import { readHeaders } from "../format/http-headers.js";
import { closeSources, type ModelSource } from "../format/source.js";
import { VERSION } from "../platform/thread-message.js";
import {
  checkScript,
  listen,
  messageOf,
  type ThreadScript,
  type ThreadWorker,
} from "../platform/thread-worker.js";
import { Channel } from "./channel.js";
import type { Loaded, SentLoadOptions } from "./protocol.js";
import { RemoteModel } from "./remote-model.js";
import { sendSource } from "./sent-source.js";

/** How long a worker may take to answer. */
const PATIENCE_MS = 10_000;

/** Where the worker's script is: `true` is the package's own. */
export type WorkerOption = boolean | ThreadScript;

/** A model in a worker, and the header of its file. Throws as loadPlm does, and WORKER_LOST. */
export async function loadInWorker(
  source: ModelSource,
  options: LoadOptions,
  script: true | ThreadScript,
): Promise<{ model: RemoteModel; loaded: Loaded }> {
  const { signal, onProgress } = options;
  if (script !== true) checkScript("worker", script);
  const sentOptions = cloneable(options);
  const { sent, sources } = await sendSource(source, options);
  let channel: Channel | undefined;
  try {
    channel = await startWorker(script === true ? undefined : script);
    signal?.throwIfAborted();
    const call = { name: "load", source: sent, options: sentOptions } as const;
    const loaded = (await channel.call(call, { signal, onProgress, sources })) as Loaded;
    return { model: new RemoteModel(channel, loaded), loaded };
  } catch (error) {
    channel?.end(new PlmError("DISPOSED", "model: expected a loaded model, got none"));
    throw error;
  } finally {
    await closeSources(sources);
  }
}

/** The options that go to the worker. Throws INVALID_ARGUMENT for one that cannot. */
function cloneable({ signal, onProgress, fetch, ...options }: LoadOptions): SentLoadOptions {
  const { threadScript, headers, ...rest } = options;
  if (typeof threadScript === "function") {
    throw invalidArgument("threadScript", "a path or URL beside `worker`", kindOf(threadScript));
  }
  return {
    ...rest,
    ...(headers !== undefined && { headers: readHeaders(headers) }),
    ...(threadScript !== undefined && { threadScript: String(threadScript) }),
  };
}

/** A worker that runs the script of src/worker and has answered. Throws WORKER_LOST. */
async function startWorker(script: ThreadScript | undefined): Promise<Channel> {
  if (!platform.hasWorkers()) {
    const message = "worker: expected a runtime with workers, this one has none";
    throw new PlmError("UNSUPPORTED_RUNTIME", message, { argument: "worker" });
  }
  let worker: ThreadWorker | undefined;
  try {
    worker = platform.createWorker(script);
    await answerOf(worker);
    return new Channel(worker);
  } catch (cause) {
    void worker?.terminate();
    const what = script === undefined ? "its script" : String(script);
    const advice = script === undefined ? "; a bundler may need a line (docs/bundlers.md)" : "";
    const message = `worker: expected ${what} to start, got ${reasonOf(cause)}${advice}`;
    throw new PlmError("WORKER_LOST", message, { argument: "worker", cause });
  }
}

/** Settles once the worker answers that it runs the same version. */
async function answerOf(worker: ThreadWorker): Promise<void> {
  let timer: Timer | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimer(() => {
        reject(new Error(`no answer in ${PATIENCE_MS / 1000} seconds`));
      }, PATIENCE_MS);
      listen(worker, "error", (cause) => {
        (cause as { preventDefault?(): void } | undefined)?.preventDefault?.();
        const { message } = (cause ?? {}) as { message?: string };
        reject(new Error(message || "its script not found", { cause }));
      });
      listen(worker, "exit", () => reject(new Error("it ended")));
      let isAnswered = false;
      listen(worker, "message", (message) => {
        if (isAnswered) return;
        isAnswered = true;
        const { version } = (messageOf(worker, message) ?? {}) as { version?: unknown };
        if (version === VERSION) resolve();
        const got = typeof version === "string" ? version : "none";
        reject(new Error(`expected version ${VERSION} of plm-wasm/worker, got ${got}`));
      });
      worker.postMessage({ version: VERSION }, []);
    });
  } finally {
    clearTimer(timer);
  }
}
