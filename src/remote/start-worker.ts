/** Starts the worker of a model. */
import platform from "#platform";
import { abortable } from "../abortable.js";
import { inTime } from "../clock.js";
import { PlmError, reasonOf } from "../errors.js";
import { VERSION } from "../platform/thread-message.js";
import {
  awaitAnswer,
  startReason,
  type ThreadScript,
  type ThreadWorker,
} from "../platform/thread-worker.js";

/** How long a worker may take to answer. */
const PATIENCE_MS = 10_000;

/** Advice where the package's own script was to run. */
const ADVICE =
  "; a bundler that leaves out the worker's script needs a line: " +
  "build plm-wasm/worker as well, and pass the result as `worker` (docs/bundlers.md)";

/**
 * A worker that runs the script, or the package's own, and has answered. Throws WORKER_LOST; an
 * abort rejects with its reason. The worker has then ended.
 */
export async function startWorker(
  script: ThreadScript | undefined,
  signal: AbortSignal | undefined,
): Promise<ThreadWorker> {
  let worker: Partial<ThreadWorker> | undefined;
  try {
    worker = platform.createWorker(script);
    await abortable(answerOf(worker as ThreadWorker), signal);
    return worker as ThreadWorker;
  } catch (cause) {
    void worker?.terminate?.();
    signal?.throwIfAborted();
    const what = typeof script === "string" ? script : "a worker";
    const advice = script === undefined ? ADVICE : "";
    const message = `worker: expected ${what} to start, got ${reasonOf(cause)}${advice}`;
    throw new PlmError("WORKER_LOST", message, { argument: "worker", cause });
  }
}

/** Settles once the worker answers that it runs the same version. */
async function answerOf(worker: ThreadWorker): Promise<void> {
  worker.postMessage({ version: VERSION }, []);
  const answer = awaitAnswer(worker, {
    failed: (cause) => new Error(startReason(cause), { cause }),
    ended: "its end",
    outdated: (version = "none") =>
      new Error(`${version} instead of version ${VERSION} of plm-wasm/worker`),
  });
  await inTime(answer, PATIENCE_MS);
}
