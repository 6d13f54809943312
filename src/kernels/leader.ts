/**
 * The caller's thread as the leader of a team: it announces work to as many threads as pay, does
 * its own part, and in the end makes the others return. Inference and training share it.
 */
import { now } from "../clock.js";
import type { Pace, Piece } from "./pace.js";
import type { Member } from "./team.js";

/** A thread of the team beside the leader's. */
export interface Follower {
  /** Whether it is known to compute no more. */
  readonly hasEnded: boolean;
  /** Frees what is left of a dismissed thread. */
  end(): void;
}

/** How one piece of work is done. */
export interface Task {
  /** How many threads take part: a number, or a pace that chooses it. */
  readonly pace: Pace | number;
  /** The amount of work, for the pace. */
  readonly units: number;
  /** Writes what the other threads read, before the work is announced. */
  readonly post: () => void;
  /** The leader's own part; returns when all threads have done theirs. */
  readonly perform: () => void;
}

export class Leader {
  readonly #member: Member;
  #followers: readonly Follower[];
  /** The error that ended a piece of work early. */
  #failure: unknown;
  /** Threads that were dismissed, which may not have returned yet. */
  readonly #dismissed: Follower[] = [];

  constructor(member: Member, followers: readonly Follower[]) {
    this.#member = member;
    this.#followers = followers;
  }

  /** Threads that can take part, the leader among them. */
  get threads(): number {
    return this.#followers.length + 1;
  }

  /** Adds threads that are ready; their indices follow those of the others. */
  add(followers: readonly Follower[]): void {
    this.#followers = [...this.#followers, ...followers];
  }

  /**
   * Does a piece of work. Returns how long it took, and how long an average thread slept at
   * barriers, in milliseconds. Throws THREAD_LOST, and does so on every call until
   * `recover`: threads that disagree about where they are would compute something else.
   */
  perform({ pace, units, post, perform }: Task): Pick<Piece, "ms" | "lateMs"> {
    if (this.#failure !== undefined) throw this.#failure;
    const member = this.#member;
    const count = Math.min(typeof pace === "number" ? pace : pace.count, this.threads);
    const startMs = now();
    if (count > 1) {
      post();
      member.announce(count);
    } else member.begin(1);
    try {
      perform();
    } catch (error) {
      if (count > 1) this.#failure = error;
      this.keep(1);
      throw error;
    }
    const ms = now() - startMs;
    const lateMs = member.takeLateMs();
    if (typeof pace !== "number") pace.done({ ms, units, lateMs });
    return { ms, lateMs };
  }

  /**
   * Takes up work again after THREAD_LOST, alone, once all other threads are known to have ended:
   * one that is only late would write among what the leader computes.
   */
  recover(): void {
    if (this.#dismissed.every(({ hasEnded }) => hasEnded)) this.#failure = undefined;
  }

  /** Keeps the first `count` threads and ends the others. */
  keep(count: number): void {
    if (count >= this.threads) return;
    this.#member.dismiss(count);
    for (const follower of this.#followers.slice(count - 1)) {
      follower.end();
      this.#dismissed.push(follower);
    }
    this.#followers = this.#followers.slice(0, count - 1);
  }
}
