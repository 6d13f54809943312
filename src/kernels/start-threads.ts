/** Starts the other threads of a team: at each call as many as requested, or none of them. */
import platform from "#platform";
import { inTime } from "../clock.js";
import { reasonOf } from "../errors.js";
import type { Follower } from "./leader.js";
import { dismiss } from "./team.js";

/** How long threads may take to answer. */
const PATIENCE_MS = 10_000;

/** A thread that was started; `ready` settles when it can compute, or rejects. */
export interface StartedThread extends Follower {
  readonly ready: Promise<void>;
}

/** The team that threads join, and how one begins. */
export interface TeamStart {
  readonly memory: WebAssembly.Memory;
  /** Where the team lies in the memory. */
  readonly teamPtr: number;
  readonly startThread: (index: number) => StartedThread;
}

/** Why no threads can be started in this runtime; undefined where they can. */
export function threadObstacle(): Error | undefined {
  if (platform.hasThreads()) return undefined;
  return new Error("this runtime shares no memory; a page must be cross-origin isolated");
}

export class ThreadStarter {
  readonly #team: TeamStart;
  readonly #threads: StartedThread[] = [];
  #failure: Error | undefined;

  constructor(team: TeamStart) {
    this.#team = team;
  }

  /** Why threads did not start; undefined where all did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Starts `count` more threads, with the next indices from 1 on, and returns them when they can
   * compute; none if one of them does not start or answer in time. The other threads then
   * compute without them, with the same results.
   */
  async start(count: number): Promise<readonly StartedThread[]> {
    if (count === 0) return [];
    const first = this.#threads.length + 1;
    try {
      for (let index = first; index < first + count; index++) {
        this.#threads.push(this.#team.startThread(index));
      }
      const started = this.#threads.slice(first - 1);
      await inTime(Promise.all(started.map(({ ready }) => ready)), PATIENCE_MS);
      return started;
    } catch (error) {
      this.#failure = new Error(reasonOf(error), { cause: error });
      this.#end(first);
      return [];
    }
  }

  /** Ends all threads. */
  end(): void {
    this.#end(1);
  }

  /** Ends the threads from an index on. */
  #end(first: number): void {
    const { memory, teamPtr } = this.#team;
    dismiss(memory, teamPtr, first);
    for (const thread of this.#threads.splice(first - 1)) {
      thread.ready.catch(() => undefined);
      thread.end();
    }
  }
}
