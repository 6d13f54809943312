/**
 * A sequence of tokens, of whose rows the cache has the first ones, or all. Rows that it gave up
 * for others are evaluated again before it goes on.
 */
import type { CacheSequence } from "../cache/sequence.js";
import { History } from "./history.js";

export class Sequence {
  readonly history: History;
  readonly cache: CacheSequence;
  /** Its place among all sequences in the order of their first evaluation; undefined before. */
  age: number | undefined;
  /** Whether it was given pages since it last gave them up. */
  isAdmitted: boolean;
  /** Whether its tokens wait for their turn, or its pages are being saved. */
  isBusy = false;
  /** When it was last used, as a count. */
  lastUse = 0;

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
    return this.isAdmitted && this.history.isRepeatable;
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
