/**
 * The cache as the scheduler sees it: gives sequences pages, reuses rows of others, and takes pages
 * back from sequences that can have their rows evaluated again.
 */
import { cacheFull, type PagePool } from "../cache/pages.js";
import type { PrefixTree } from "../cache/prefix-tree.js";
import { PAGE_ROWS } from "../kernels/packed.js";
import type { Request } from "./request.js";
import type { Room } from "./scheduler.js";
import type { Sequence } from "./sequence.js";

export class CacheRoom implements Room<Request> {
  readonly #pool: PagePool;
  /** Undefined where rows are not reused. */
  readonly #tree: PrefixTree | undefined;
  /** When the turn began: what is kept does not change within one. */
  #nowMs = 0;
  /** All that have not been disposed of. */
  readonly #sequences = new Set<Sequence>();
  #uses = 0;
  #ages = 0;

  constructor(pool: PagePool, tree: PrefixTree | undefined) {
    this.#pool = pool;
    this.#tree = tree;
  }

  /** Notes when a turn begins. */
  startTurn(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Watches a sequence until it is disposed of. */
  add(sequence: Sequence): void {
    this.#sequences.add(sequence);
    this.use(sequence);
  }

  /** Notes that a sequence is used now. The first time sets its age. */
  use(sequence: Sequence): void {
    sequence.lastUse = ++this.#uses;
    sequence.age ??= ++this.#ages;
  }

  /** Gives all pages of a sequence back for good; its rows stay for reuse. */
  dispose(sequence: Sequence): void {
    this.#giveUp(sequence);
    this.#sequences.delete(sequence);
  }

  awaits(job: Request, others: readonly Request[]): boolean {
    if (this.#tree === undefined) return false;
    return others.some((other) => {
      const common = Math.min(job.countCommon(other), job.mostReused);
      const shared = common - (common % PAGE_ROWS);
      return other.sequence.cache.length < shared;
    });
  }

  admit(job: Request): boolean {
    const { sequence } = job;
    const { cache, history } = sequence;
    const { length } = history;
    this.reuse(job);
    // Those that go on will soon need a page for each layer.
    const spare = this.#countRunning() * cache.layers;
    if (this.#makeRoom(cache.needed(job.left) + spare, sequence) || cache.fits(job.left, spare)) {
      cache.reserve(job.left);
      sequence.isAdmitted = true;
      return true;
    }
    cache.truncate(0);
    sequence.truncate(length);
    job.cachedTokens = 0;
    return false;
  }

  reserve({ sequence }: Request, n: number): boolean {
    const { cache } = sequence;
    if (!this.#makeRoom(cache.needed(n), sequence) && !cache.fits(n)) return false;
    cache.reserve(n);
    return true;
  }

  /**
   * How long until a sequence no longer keeps its pages, or room for its next ones; Infinity while
   * one is saved. Undefined if all pages are held for good.
   */
  msUntilFree(): number | undefined {
    let firstMs = Infinity;
    let isAnySaved = false;
    for (const sequence of this.#sequences) {
      if (sequence.isSaved) isAnySaved = true;
      else if (this.#isKept(sequence)) firstMs = Math.min(firstMs, sequence.keepsUntilMs);
    }
    return firstMs < Infinity || isAnySaved ? firstMs - this.#nowMs : undefined;
  }

  /** The error for a job that cannot get pages for its next rows. */
  fullError({ sequence, left }: Request): Error {
    return cacheFull(sequence.cache.needed(left), this.#pool.available);
  }

  putBack({ sequence }: Request): void {
    this.#giveUp(sequence);
  }

  /** Takes over rows of other sequences for the same tokens, if there are more than it has. */
  reuse(job: Request): void {
    const { cache, history } = job.sequence;
    // Of the tokens that it has evaluated, the rows must be as its own were.
    const query = { tokens: job.allTokens, most: job.mostReused, kinds: history.kinds };
    const found = this.#tree?.match(query);
    if (found === undefined || found.length <= cache.length) return;
    cache.truncate(0);
    cache.adopt(found.blocks, found.length);
    if (found.length <= history.length) return;
    job.cachedTokens = found.length - history.length;
    const tokens = job.allTokens.subarray(history.length, found.length);
    history.adopt(tokens, found.kinds.subarray(history.length));
  }

  /** Lets others reuse the pages of a sequence that its last `added` rows have filled. */
  share({ cache, history }: Sequence, added: number): void {
    const full = cache.length - (cache.length % PAGE_ROWS);
    if (full <= cache.length - added) return;
    this.#tree?.insert(cache, history, false);
  }

  /** Sequences that go on with their pages. */
  #countRunning(): number {
    let count = 0;
    for (const sequence of this.#sequences) {
      if ((sequence.isAdmitted && sequence.isBusy) || this.#isKept(sequence)) count++;
    }
    return count;
  }

  /** Whether a sequence keeps its pages though it does not need them now. */
  #isKept({ isAdmitted, isBusy, keepsUntilMs }: Sequence): boolean {
    return isAdmitted && !isBusy && keepsUntilMs > this.#nowMs;
  }

  /**
   * Makes pages free, for a sequence that is not watched yet; with too few, the youngest that wait
   * for their turn are put back. Throws CACHE_FULL.
   */
  makeRoom(pages: number): void {
    while (!this.#makeRoom(pages)) {
      let youngest: Sequence | undefined;
      for (const sequence of this.#sequences) {
        if (!sequence.canBePutBack) continue;
        if (youngest === undefined || sequence.age! > youngest.age!) youngest = sequence;
      }
      if (youngest === undefined) throw cacheFull(pages, this.#pool.available);
      this.#giveUp(youngest);
    }
  }

  /** Whether a sequence that needs pages may have those of one that waits for its next tokens. */
  #mayTake(taker: Sequence, other: Sequence): boolean {
    return !this.#isKept(other) || (taker.isAdmitted && taker.age! < other.age!);
  }

  /** Frees pages until so many are free, for a sequence, the least recently used first. */
  #makeRoom(pages: number, taker?: Sequence): boolean {
    this.#pool.expectFree(0);
    while (pages > this.#pool.available) {
      let oldest: Sequence | undefined;
      for (const sequence of this.#sequences) {
        if (sequence.isBusy || !sequence.canBePutBack) continue;
        if (taker !== undefined && !this.#mayTake(taker, sequence)) continue;
        if (oldest === undefined || sequence.lastUse < oldest.lastUse) oldest = sequence;
      }
      if (oldest === undefined) return false;
      this.#giveUp(oldest);
    }
    return true;
  }

  #giveUp(sequence: Sequence): void {
    const { cache, history } = sequence;
    this.#tree?.insert(cache, history, true);
    cache.truncate(0);
    sequence.isAdmitted = false;
  }
}
