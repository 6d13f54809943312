/**
 * The pool of pages in which all sequences keep their rows. A page holds 64 rows of one layer. The
 * pool counts each page's holders: forked sequences share a page until one of them writes to it. A
 * prefix tree may keep a page beyond its holders; then it is evicted only when room is needed.
 */
import { PlmError } from "../errors.js";
import type { MemoryPlan } from "../kernels/arena.js";
import { PAGE_ROWS } from "../kernels/packed.js";
import { PageQueue } from "./page-queue.js";

/** Pages that `rows` rows of one layer take. */
export function pagesOf(rows: number): number {
  return Math.ceil(rows / PAGE_ROWS);
}

/** A pool's place in memory. */
export interface PagesPlan {
  readonly ptr: number;
  /** Bytes of a page. */
  readonly pageBytes: number;
  /** Pages of all layers and sequences together. */
  readonly count: number;
}

/** Plans `count` pages of rows of `rowBytes` bytes. */
export function planPages(
  plan: MemoryPlan,
  name: string,
  { rowBytes, count }: { rowBytes: number; count: number },
): PagesPlan {
  const pageBytes = PAGE_ROWS * rowBytes;
  return { ptr: plan.add("cache", name, count * pageBytes), pageBytes, count };
}

/** The pages, how many sequences hold each, and which are kept. */
export class PagePool {
  readonly pageBytes: number;
  readonly count: number;
  readonly #ptr: number;
  /** The number of sequences that hold each page. */
  readonly #holders: Uint32Array;
  /** 1 for each page that is kept. */
  readonly #isKept: Uint8Array;
  /** Pages that are kept and not held: what can be evicted, and in which order. */
  readonly #evictable: PageQueue;
  /** Pages that are neither held nor kept; the last is taken first. */
  readonly #free: Uint32Array;
  #freeCount: number;
  /** Undefined after disposal, so that remaining sequences do not keep the memory. */
  #bytes: Uint8Array | undefined;
  readonly #expectUsable: () => void;
  #evict: ((page: number) => void) | undefined;

  /** Before any page is taken, `expectUsable` throws where pages must stay as they are. */
  constructor(
    memory: WebAssembly.Memory,
    { ptr, pageBytes, count }: PagesPlan,
    expectUsable: () => void = () => undefined,
  ) {
    this.#expectUsable = expectUsable;
    this.pageBytes = pageBytes;
    this.count = count;
    this.#ptr = ptr;
    this.#holders = new Uint32Array(count);
    this.#isKept = new Uint8Array(count);
    this.#evictable = new PageQueue(count);
    this.#free = Uint32Array.from({ length: count }, (_, i) => count - 1 - i);
    this.#freeCount = count;
    this.#bytes = new Uint8Array(memory.buffer, ptr, count * pageBytes);
  }

  /** Pages that are neither held nor kept. */
  get free(): number {
    return this.#freeCount;
  }

  /** Pages that are kept and that no sequence holds. */
  get kept(): number {
    return this.#evictable.length;
  }

  /** Pages that sequences hold. */
  get used(): number {
    return this.count - this.available;
  }

  /** Pages that can be taken: those that are free, and those that can be evicted. */
  get available(): number {
    return this.free + this.kept;
  }

  /**
   * Sets what evicts: a function that discards a kept page, and what is of no use without it. To be
   * called once, before any page is kept.
   */
  evictWith(evict: (page: number) => void): void {
    this.#evict = evict;
  }

  /** Takes a free page, which is then held once. Throws CACHE_FULL. */
  take(): number {
    this.expectFree(1);
    const page = this.#free[--this.#freeCount];
    this.#holders[page] = 1;
    return page;
  }

  /**
   * Makes `needed` pages free, evicting kept pages where necessary, least recently used first.
   * Throws CACHE_FULL unless that many are available and may be taken, and then evicts nothing.
   */
  expectFree(needed: number): void {
    this.#expectUsable();
    if (needed > this.available) throw cacheFull(needed, this.available);
    while (needed > this.#freeCount) this.evict(this.#evictable.oldest!);
  }

  /** Adds a holder to a page, which is held or kept. */
  hold(page: number): void {
    if (this.#holders[page]++ === 0) this.#evictable.remove(page);
  }

  /** Removes a holder from a page. Without any it is free, or can be evicted if it is kept. */
  release(page: number): void {
    if (--this.#holders[page] > 0) return;
    if (this.#isKept[page] === 1) this.#evictable.push(page);
    else this.#free[this.#freeCount++] = page;
  }

  /** Keeps a page, which is held and not kept. */
  keep(page: number): void {
    this.#isKept[page] = 1;
  }

  /** Keeps a page no more. */
  discard(page: number): void {
    this.#isKept[page] = 0;
    if (this.#holders[page] > 0) return;
    this.#evictable.remove(page);
    this.#free[this.#freeCount++] = page;
  }

  /** Marks a kept page as used now. */
  touch(page: number): void {
    if (this.#holders[page] > 0) return;
    this.#evictable.remove(page);
    this.#evictable.push(page);
  }

  /** Has a kept page discarded, even if a sequence holds it. */
  evict(page: number): void {
    this.#evict!(page);
  }

  /** The number of sequences that hold a page. */
  holders(page: number): number {
    return this.#holders[page];
  }

  /** Whether a page must not be written to: several sequences hold it, or it is kept. */
  isShared(page: number): boolean {
    return this.#holders[page] > 1 || this.#isKept[page] === 1;
  }

  /** Where a page lies in memory. */
  address(page: number): number {
    return this.#ptr + page * this.pageBytes;
  }

  /** The first bytes of a page, in place. Throws DISPOSED. */
  bytes(page: number, length: number): Uint8Array {
    if (this.#bytes === undefined) {
      throw new PlmError("DISPOSED", "cache: expected a live model, got a disposed one");
    }
    return this.#bytes.subarray(page * this.pageBytes, page * this.pageBytes + length);
  }

  /** Lets the memory be freed. */
  dispose(): void {
    this.#bytes = undefined;
  }
}

/** The error of pages that were needed and are not available. */
export function cacheFull(needed: number, available: number): PlmError {
  return new PlmError(
    "CACHE_FULL",
    `cache: expected ${needed} free pages of ${PAGE_ROWS} rows, got ${available}; ` +
      "dispose of a session, or load with a larger `cacheTokens`",
  );
}
