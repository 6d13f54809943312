/**
 * Threads that compute together: each has its share of every step, and waits for the others at a
 * barrier in wasm. A thread that waits long sleeps.
 */

import { now } from "../clock.js";
import { PlmError } from "../errors.js";
import type { Kernels } from "./kernels.js";
import { Patience } from "./patience.js";

/** Bytes that a team takes in memory (assembly/team.ts). */
export const TEAM_BYTES = 960;

/** Where its words are, in words. */
const TURN = 16;
const ANNOUNCED = 32;
const SLEEPING = 48;
/** The first of the words from which parts of steps are taken, each in a cache line of its own. */
const TAKEN = 64;
const TAKEN_STRIDE = 16;
const LATE = 192;
const ROSTER = 208;
const DISMISSED = 224;

/** The word of announced work holds how many threads take part, and above that a number. */
const COUNT_BITS = 7;
const COUNT_MASK = (1 << COUNT_BITS) - 1;

/** Steps of which one may begin before others have ended: a join comes sooner. */
const OPEN_STEPS = 8;

/** Parts a thread that a step is divided into. */
const PARTS = 16;

/** How long a sleeping thread sleeps before it looks again. */
const SLEEP_MS = 100;

/** After so long awake a thread that does not come counts as lost. */
const PATIENCE_MS = 60_000;

/**
 * Looks at a barrier before a thread sleeps, since waking takes long: half a millisecond while that
 * pays. Each time that a thread had to sleep all the same it looks less, soon hardly at all, since
 * it may have been looking in the very core that the late one needs. The looks double whenever they
 * were enough, or nearly.
 */
const MOST_SPINS = 400_000;
const LEAST_SPINS = 2_000;

/** A thread that slept for less would better have looked; one that slept for more waited. */
const SHORT_SLEEP_MS = 0.1;

/** What a member of a team is made of. */
export interface MemberParts {
  readonly kernels: Pick<Kernels, "joinTeam" | "spinWhile">;
  readonly memory: WebAssembly.Memory;
  readonly teamPtr: number;
  /** Its place: the thread of the caller has 0. */
  readonly index: number;
  /** False on threads that must not block, such as a page's own: they spin. */
  readonly maySleep: boolean;
  /** After how long one that does not come counts as lost; default a minute. */
  readonly patienceMs?: number;
}

/** One thread's place in its team. */
export class Member {
  readonly index: number;
  /** Threads that take part. */
  count = 1;
  readonly #parts: MemberParts;
  readonly #words: Int32Array;
  #spins = MOST_SPINS;
  /** Steps divided so far, and what their words held before: the same on every thread. */
  #steps = 0;
  readonly #taken = new Int32Array(OPEN_STEPS);

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.index = parts.index;
    this.#words = new Int32Array(parts.memory.buffer, parts.teamPtr, TEAM_BYTES / 4);
  }

  /**
   * Waits until all members are here and sees what they wrote. Throws THREAD_LOST where one does
   * not come within `patienceMs`.
   */
  join(): void {
    if (this.count === 1) return;
    const turn = this.#words[TURN];
    const { kernels, teamPtr, patienceMs = PATIENCE_MS } = this.#parts;
    const met = kernels.joinTeam(teamPtr, this.count, this.#spins);
    if (met === 2) return;
    const sleptMs = met === 1 ? 0 : this.#waitWhile(TURN, turn, patienceMs);
    if (this.#words[TURN] === turn) {
      throw new PlmError("THREAD_LOST", "threads: expected all of them to answer, one does not");
    }
    if (sleptMs < SHORT_SLEEP_MS) this.#spins = Math.min(this.#spins * 2, MOST_SPINS);
    else {
      this.#spins = Math.max(this.#spins >> 4, LEAST_SPINS);
      Atomics.add(this.#words, LATE, Math.round(sleptMs * 1000));
    }
  }

  /**
   * This member's part of `total` things: [first, end), in multiples of `unit` except at the end.
   */
  share(total: number, unit = 1): readonly [first: number, end: number] {
    if (this.count === 1) return [0, total];
    const units = Math.ceil(total / unit);
    const first = Math.ceil((units * this.index) / this.count) * unit;
    const end = Math.ceil((units * (this.index + 1)) / this.count) * unit;
    return [Math.min(first, total), Math.min(end, total)];
  }

  /**
   * Does `total` things together with the other members, which call this with the same numbers:
   * `work` gets parts [first, end), in multiples of `unit` except at the end: its share at once, or
   * `piecemeal` as long as there are any, so that a thread that is slowed down does less; memory is
   * then read in pieces too. Requires a join after 8 calls at the latest.
   */
  divide(
    total: number,
    unit: number,
    piecemeal: boolean,
    work: (first: number, end: number) => void,
  ): void {
    if (!piecemeal || this.count === 1) {
      const [first, end] = this.share(total, unit);
      if (first < end) work(first, end);
      return;
    }
    const step = this.#steps++ % OPEN_STEPS;
    const units = Math.ceil(total / unit);
    const parts = Math.min(units, PARTS * this.count);
    const before = this.#taken[step];
    // Each member takes one number too many.
    this.#taken[step] = before + parts + this.count;
    for (;;) {
      const part = (Atomics.add(this.#words, TAKEN + step * TAKEN_STRIDE, 1) - before) | 0;
      if (part >= parts) return;
      const first = Math.floor((units * part) / parts) * unit;
      work(first, Math.min(Math.floor((units * (part + 1)) / parts) * unit, total));
    }
  }

  /** To be called before a piece of work in which `count` members take part. */
  begin(count: number): void {
    this.count = count;
    this.#steps = 0;
    this.#taken.fill(0);
  }

  /** The word of the last announced piece of work. */
  get announced(): number {
    return Atomics.load(this.#words, ANNOUNCED);
  }

  /**
   * Begins a piece of work and announces it to the `count` members that take part, all of which
   * have done the last; those of a higher index rest.
   */
  announce(count: number): void {
    this.begin(count);
    for (let step = 0; step < OPEN_STEPS; step++) {
      Atomics.store(this.#words, TAKEN + step * TAKEN_STRIDE, 0);
    }
    const before = this.announced;
    const number = (before >> COUNT_BITS) + 1;
    Atomics.store(this.#words, ANNOUNCED, (number << COUNT_BITS) | count);
    Atomics.notify(this.#words, ANNOUNCED);
    if (count <= (before & COUNT_MASK)) return;
    Atomics.add(this.#words, ROSTER, 1);
    Atomics.notify(this.#words, ROSTER);
  }

  /**
   * Waits, for ever if need be, until work after `last` is announced in which this member takes
   * part, and begins it. Returns its word, or undefined once this member is dismissed.
   */
  awaitWork(last: number): number | undefined {
    const { kernels, teamPtr } = this.#parts;
    for (let seen = last; ; ) {
      const roster = Atomics.load(this.#words, ROSTER);
      const { announced } = this;
      if (this.#isDismissed()) return undefined;
      const count = announced & COUNT_MASK;
      if (announced !== seen && this.index < count) {
        this.begin(count);
        return announced;
      }
      seen = announced;
      if (this.index >= count && count > 0) this.#waitWhile(ROSTER, roster, Infinity);
      else if (kernels.spinWhile(teamPtr + ANNOUNCED * 4, announced) === 0) {
        this.#waitWhile(ANNOUNCED, announced, Infinity);
      }
    }
  }

  /** Does announced work after `last`, calling `perform` for each, until it is dismissed. */
  follow(last: number, perform: () => void): void {
    let word = this.awaitWork(last);
    while (word !== undefined) {
      perform();
      word = this.awaitWork(word);
    }
  }

  /** Has the members from an index on return from awaitWork or from a join, for good. */
  dismiss(from: number): void {
    dismiss(this.#parts.memory, this.#parts.teamPtr, from);
  }

  /** Milliseconds that members slept at barriers since this was last called, over their number. */
  takeLateMs(): number {
    return (Atomics.exchange(this.#words, LATE, 0) >>> 0) / 1000 / this.count;
  }

  #isDismissed(): boolean {
    return isDismissed(this.#words, this.index);
  }

  /**
   * Sleeps or spins while a word has a value, until the time is up or this member is dismissed;
   * milliseconds that took.
   */
  #waitWhile(word: number, value: number, patienceMs: number): number {
    const { kernels, teamPtr, maySleep } = this.#parts;
    const patience = new Patience(patienceMs);
    const startMs = now();
    const isCounted = maySleep && word === TURN;
    if (isCounted) Atomics.add(this.#words, SLEEPING, 1);
    let sleptMs = 0;
    // The last at a barrier looks for sleepers after it changed the turn; they look at it again.
    while (Atomics.load(this.#words, word) === value && patience.isLeft(sleptMs)) {
      if (this.#isDismissed()) break;
      if (!maySleep) kernels.spinWhile(teamPtr + word * 4, value);
      else {
        const isTimeout = Atomics.wait(this.#words, word, value, SLEEP_MS) === "timed-out";
        sleptMs = isTimeout ? SLEEP_MS : 0;
      }
    }
    if (isCounted) Atomics.sub(this.#words, SLEEPING, 1);
    return now() - startMs;
  }
}

function isDismissed(words: Int32Array, index: number): boolean {
  const from = Atomics.load(words, DISMISSED);
  return from > 0 && index >= from;
}

/**
 * Has the members of a team from an index on, at least 1, return: those that wait for work, for
 * others, or to be needed again. Members that compute return when they next wait.
 */
export function dismiss(memory: WebAssembly.Memory, teamPtr: number, from: number): void {
  const words = new Int32Array(memory.buffer, teamPtr, TEAM_BYTES / 4);
  Atomics.store(words, DISMISSED, from);
  for (const word of [ROSTER, ANNOUNCED, TURN]) Atomics.notify(words, word);
}
