/** A thread of `plm train`. */
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { ThreadHandle } from "../platform/thread-worker.js";
import { endDismissed } from "../platform/thread-worker.js";
import { runTrainingThread, type TrainingThreadStart } from "../training/engine/thread.js";

/** Starts a thread that computes until it is dismissed. */
export function startTrainingThread(start: TrainingThreadStart): ThreadHandle {
  const worker = new Worker(new URL(import.meta.url), { workerData: start, execArgv: [] });
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => {
      // Waiting threads do not keep a program alive.
      worker.unref();
      resolve();
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread ended")));
  });
  return { ready, end: () => endDismissed(worker) };
}

if (parentPort && workerData?.data?.parameters) {
  runTrainingThread(workerData as TrainingThreadStart, () => parentPort!.postMessage("ready"));
}
