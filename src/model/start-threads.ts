/** Starts the threads that help, or none of them. */
import platform from "#platform";
import type { ThreadHandle } from "../platform/platform.js";
import type { ThreadScript } from "../platform/thread-worker.js";
import type { ThreadStart } from "./thread.js";

/** How long threads may take to answer. */
const PATIENCE_MS = 10_000;

/** Threads that started, and why there are none where there should be. */
export interface StartedThreads {
  readonly threads: readonly ThreadHandle[];
  readonly failure?: Error;
}

/**
 * `count` threads that are ready to compute, with indices from 1; none where one of them does not
 * start or answer in time: the caller's thread then computes alone, with the same results.
 */
export async function startThreads(
  count: number,
  start: Omit<ThreadStart, "index">,
  script?: ThreadScript,
): Promise<StartedThreads> {
  const threads: ThreadHandle[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (let index = 1; index <= count; index++) {
      threads.push(platform.startThread({ ...start, index }, script));
    }
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`no answer in ${PATIENCE_MS / 1000} seconds`);
      timer = setTimeout(() => reject(error), PATIENCE_MS);
    });
    await Promise.race([Promise.all(threads.map(({ ready }) => ready)), late]);
    return { threads };
  } catch (error) {
    for (const thread of threads) {
      thread.ready.catch(() => undefined);
      thread.end();
    }
    return { threads: [], failure: error instanceof Error ? error : new Error(String(error)) };
  } finally {
    clearTimeout(timer);
  }
}
