/**
 * The pool of pages in which all sequences keep their rows. A page holds 64 rows of one layer. The
 * pool counts each page's holders: forked sequences share a page until one of them writes to it.
 */
import { PlmError } from "../errors.js";
import type { MemoryPlan } from "../kernels/arena.js";
import { PAGE_ROWS } from "../kernels/packed.js";

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

/** The pages, and how many sequences hold each. */
export class PagePool {
  readonly pageBytes: number;
  readonly count: number;
  readonly #ptr: number;
  /** The number of sequences that hold each page. */
  readonly #holders: Uint32Array;
  /** Pages that no sequence holds; the last is taken first. */
  readonly #free: Uint32Array;
  #freeCount: number;
  /** Undefined after disposal, so that remaining sequences do not keep the memory. */
  #bytes: Uint8Array | undefined;
  readonly #expectUsable: () => void;

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
    this.#free = Uint32Array.from({ length: count }, (_, i) => count - 1 - i);
    this.#freeCount = count;
    this.#bytes = new Uint8Array(memory.buffer, ptr, count * pageBytes);
  }

  /** Pages that no sequence holds. */
  get free(): number {
    return this.#freeCount;
  }

  /** Pages that sequences hold. */
  get used(): number {
    return this.count - this.#freeCount;
  }

  /** Takes a free page, which is then held once. Throws CACHE_FULL. */
  take(): number {
    this.expectFree(1);
    const page = this.#free[--this.#freeCount];
    this.#holders[page] = 1;
    return page;
  }

  /** Throws CACHE_FULL unless `needed` pages are free and may be taken. */
  expectFree(needed: number): void {
    this.#expectUsable();
    if (needed > this.#freeCount) throw cacheFull(needed, this.#freeCount);
  }

  /** Adds a holder to a page. */
  hold(page: number): void {
    this.#holders[page]++;
  }

  /** Removes a holder from a page, which is free without any. */
  release(page: number): void {
    if (--this.#holders[page] === 0) this.#free[this.#freeCount++] = page;
  }

  /** Whether more than one sequence holds a page. */
  isShared(page: number): boolean {
    return this.#holders[page] > 1;
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

function cacheFull(needed: number, free: number): PlmError {
  return new PlmError(
    "CACHE_FULL",
    `cache: expected ${needed} free pages of ${PAGE_ROWS} rows, got ${free}; ` +
      "dispose of a session, or load with a larger `sessions`",
  );
}
