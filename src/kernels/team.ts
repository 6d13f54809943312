/**
 * Threads that compute together: each has its share of every step, and waits for the others at a
 * barrier in wasm; who waits long sleeps.
 */
import { PlmError } from "../errors.js";
import type { Kernels } from "./kernels.js";
import { Patience } from "./patience.js";

/** Bytes that a team takes in memory (assembly/team.ts). */
export const TEAM_BYTES = 768;

/** Where its words are, in words. */
const TURN = 16;
const ANNOUNCED = 32;
const SLEEPING = 48;
/** The first of the words from which parts of steps are taken, each in a cache line of its own. */
const TAKEN = 64;
const TAKEN_STRIDE = 16;

/** Steps of which one may begin before others have ended: a join comes sooner. */
const OPEN_STEPS = 8;

/** Parts a thread that a step is divided into. */
const PARTS = 16;

/** How long a sleeping thread sleeps before it looks again. */
const SLEEP_MS = 100;

/** After so long awake a thread that does not come counts as lost. */
const PATIENCE_MS = 60_000;

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
    if (kernels.joinTeam(teamPtr, this.count) === 1) return;
    if (this.#waitWhile(TURN, turn, patienceMs)) return;
    throw new PlmError("THREAD_LOST", "threads: expected all of them to answer, one does not");
  }

  /**
   * This member's part of `total` things: [first, end), in multiples of `unit` but for the last.
   */
  share(total: number, unit = 1): readonly [first: number, end: number] {
    if (this.count === 1) return [0, total];
    const units = Math.ceil(total / unit);
    const first = Math.ceil((units * this.index) / this.count) * unit;
    const end = Math.ceil((units * (this.index + 1)) / this.count) * unit;
    return [Math.min(first, total), Math.min(end, total)];
  }

  /**
   * Does `total` things together with the other members, who call this with the same numbers:
   * `work` gets parts [first, end), in multiples of `unit` but for the last: its share at once, or
   * `piecemeal` as long as there are any, so that who is slowed down does less; memory is then read
   * in pieces too. Requires a join after 8 calls at the latest.
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

  /** To be called before a piece of announced work, in which `count` members take part. */
  begin(count: number): void {
    this.count = count;
    this.#steps = 0;
    this.#taken.fill(0);
  }

  /** Pieces of work announced so far. */
  get announced(): number {
    return Atomics.load(this.#words, ANNOUNCED);
  }

  /** Announces a piece of work to the threads that await it, all of which have done the last. */
  announce(): void {
    for (let step = 0; step < OPEN_STEPS; step++) {
      Atomics.store(this.#words, TAKEN + step * TAKEN_STRIDE, 0);
    }
    Atomics.add(this.#words, ANNOUNCED, 1);
    if (Atomics.load(this.#words, SLEEPING) > 0) Atomics.notify(this.#words, ANNOUNCED);
  }

  /** Waits, for ever if need be, until another number than `last` are announced; returns it. */
  awaitWork(last: number): number {
    const { kernels, teamPtr } = this.#parts;
    if (kernels.spinWhile(teamPtr + ANNOUNCED * 4, last) === 0) {
      this.#waitWhile(ANNOUNCED, last, Infinity);
    }
    return this.announced;
  }

  /** Sleeps or spins while a word has a value; false when it still has when the time is up. */
  #waitWhile(word: number, value: number, patienceMs: number): boolean {
    const { kernels, teamPtr, maySleep } = this.#parts;
    const patience = new Patience(patienceMs);
    if (maySleep) Atomics.add(this.#words, SLEEPING, 1);
    // Whoever changes the word looks for sleepers after that, and sleepers at the word again.
    let sleptMs = 0;
    while (Atomics.load(this.#words, word) === value && patience.isLeft(sleptMs)) {
      if (!maySleep) kernels.spinWhile(teamPtr + word * 4, value);
      else
        sleptMs = Atomics.wait(this.#words, word, value, SLEEP_MS) === "timed-out" ? SLEEP_MS : 0;
    }
    if (maySleep) Atomics.sub(this.#words, SLEEPING, 1);
    return Atomics.load(this.#words, word) !== value;
  }
}
