/**
 * A sequence of tokens, of whose rows the cache has the first ones, or all. Rows that it gave up
 * for others are evaluated again before it goes on.
 */
import type { CacheSequence } from "../cache/sequence.js";
import { History } from "./history.js";

/** How many of its usual pauses a sequence keeps its pages. */
const PATIENCE = 2;

/** The weight of the longest pause, for each evaluation since. */
const OLD_PAUSES = 0.9;

export class Sequence {
  readonly history: History;
  readonly cache: CacheSequence;
  /** Its place among all sequences in the order of their first evaluation; undefined before. */
  age: number | undefined;
  /** Whether it was given pages since it last gave them up. */
  isAdmitted: boolean;
  /** Whether its tokens wait for their turn. */
  isBusy = false;
  /** Whether its pages are being saved. */
  isSaved = false;
  /** Until when it keeps its pages though younger ones need them: it is about to go on. */
  keepsUntilMs = 0;
  /** When it was last used, as a count. */
  lastUse = 0;
  #restedMs: number | undefined;
  /** The longest time between evaluations, the older ones counting less. */
  #pauseMs = 0;

  constructor(cache: CacheSequence, history: History = new History()) {
    this.cache = cache;
    this.history = history;
    this.isAdmitted = cache.length > 0;
  }

  /** Its tokens. */
  get length(): number {
    return this.history.length;
  }

  /** Whether the cache has all its rows. */
  get isComplete(): boolean {
    return this.cache.length === this.history.length;
  }

  /** Whether it can give up its pages and have its rows again later. */
  get canBePutBack(): boolean {
    return this.isAdmitted && !this.isSaved && this.history.isRepeatable;
  }

  /** Notes that it goes on. */
  resume(nowMs: number): void {
    this.isBusy = true;
    const pauseMs = nowMs - (this.#restedMs ?? nowMs);
    this.#pauseMs = Math.max(pauseMs, this.#pauseMs * OLD_PAUSES);
  }

  /** Notes that it waits for its next tokens; to have its rows again later would take `costMs`. */
  rest(nowMs: number, costMs: number): void {
    this.isBusy = false;
    this.#restedMs = nowMs;
    this.keepsUntilMs = nowMs + Math.min(this.#pauseMs * PATIENCE, costMs);
  }

  /** A sequence with the same tokens, which shares the pages. */
  fork(): Sequence {
    const fork = new Sequence(this.cache.fork(), this.history.fork());
    fork.isAdmitted = this.isAdmitted;
    return fork;
  }

  /** Forgets the tokens from a position on, and their rows. */
  truncate(length: number): void {
    this.history.truncate(length);
    if (this.cache.length > length) this.cache.truncate(length);
  }
}
