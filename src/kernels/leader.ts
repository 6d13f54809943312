/**
 * The thread of the caller as the leader of a team: it announces work to as many threads as pay,
 * takes its own part in it, and has the others return in the end. Inference and training share it.
 */
import { now } from "../clock.js";
import type { Pace, Piece } from "./pace.js";
import type { Member } from "./team.js";

/** A thread of the team beside the leader's. */
export interface Follower {
  /** Frees what is left of a thread that was dismissed. */
  end(): void;
}

/** How one piece of work is done. */
export interface Task {
  /** How many threads take part: a number, or as a pace has it. */
  readonly pace: Pace | number;
  /** How much it is, for the pace. */
  readonly units: number;
  /** Writes what the others read, before it is announced to them. */
  readonly post: () => void;
  /** The leader's own part; it returns when all have done theirs. */
  readonly perform: () => void;
}

export class Leader {
  readonly #member: Member;
  #followers: readonly Follower[];
  /** What ended a piece of work before all threads had done it. */
  #failure: unknown;

  constructor(member: Member, followers: readonly Follower[]) {
    this.#member = member;
    this.#followers = followers;
  }

  /** Threads that can take part, the leader among them. */
  get threads(): number {
    return this.#followers.length + 1;
  }

  /** Takes in more threads, which are ready; their indices follow those of the others. */
  add(followers: readonly Follower[]): void {
    this.#followers = [...this.#followers, ...followers];
  }

  /**
   * Does a piece of work; how long it took, and how long an average thread slept at barriers, in
   * milliseconds. Throws THREAD_LOST; from then on always, since threads that do not agree where
   * they are would compute something else.
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

  /** Goes on with the first `count` threads and ends the others. */
  keep(count: number): void {
    if (count >= this.threads) return;
    this.#member.dismiss(count);
    for (const follower of this.#followers.slice(count - 1)) follower.end();
    this.#followers = this.#followers.slice(0, count - 1);
  }
}
