/** Starts the threads that help, as many as are asked for at a time, or none of them. */
import platform from "#platform";
import { clearTimer, setTimer, type Timer } from "../clock.js";
import { reasonOf } from "../errors.js";
import { dismiss } from "../kernels/team.js";
import type { ThreadHandle, ThreadScript } from "../platform/thread-worker.js";
import type { ThreadStart } from "./thread.js";

/** How long threads may take to answer. */
const PATIENCE_MS = 10_000;

export class ThreadStarter {
  readonly #start: Omit<ThreadStart, "index">;
  readonly #script: ThreadScript | undefined;
  readonly #threads: ThreadHandle[] = [];
  #failure: Error | undefined;

  /** Threads with the package's own script, or with `script`. */
  constructor(start: Omit<ThreadStart, "index">, script?: ThreadScript) {
    this.#start = start;
    this.#script = script;
  }

  /** Why threads did not start; undefined where all did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * `count` more threads that are ready to compute, with the indices after those before them, from
   * 1 on; none where one of them does not start or answer in time. The threads that are there then
   * compute without them, with the same results.
   */
  async start(count: number): Promise<readonly ThreadHandle[]> {
    if (count === 0) return [];
    const first = this.#threads.length + 1;
    let timer: Timer | undefined;
    try {
      for (let index = first; index < first + count; index++) {
        this.#threads.push(platform.startThread({ ...this.#start, index }, this.#script));
      }
      const late = new Promise<never>((_, reject) => {
        const error = new Error(`no answer in ${PATIENCE_MS / 1000} seconds`);
        timer = setTimer(() => reject(error), PATIENCE_MS);
      });
      const started = this.#threads.slice(first - 1);
      await Promise.race([Promise.all(started.map(({ ready }) => ready)), late]);
      return started;
    } catch (error) {
      this.#failure = new Error(reasonOf(error), { cause: error });
      this.#end(first);
      return [];
    } finally {
      clearTimer(timer);
    }
  }

  /** Ends all threads. */
  end(): void {
    this.#end(1);
  }

  /** Ends the threads from an index on. */
  #end(first: number): void {
    const { memory, model } = this.#start;
    dismiss(memory, model.meeting.team, first);
    for (const thread of this.#threads.splice(first - 1)) {
      thread.ready.catch(() => undefined);
      thread.end();
    }
  }
}
