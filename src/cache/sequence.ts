/** One sequence in the cache: for each layer, the table of the pages that hold its rows. */
import { PAGE_ROWS } from "../kernels/packed.js";
import { type PagePool, pagesOf } from "./pages.js";

/** The pages of the same 64 rows, one for each layer. */
export type Block = readonly number[];

export class CacheSequence {
  readonly layers: number;
  readonly #pool: PagePool;
  /** Pages of each layer, in the order of their rows. */
  readonly #tables: number[][];
  #length = 0;

  constructor(pool: PagePool, layers: number) {
    this.layers = layers;
    this.#pool = pool;
    this.#tables = Array.from({ length: layers }, () => []);
  }

  /** Rows in each layer. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of a row. */
  get rowBytes(): number {
    return this.#pool.pageBytes / PAGE_ROWS;
  }

  /** A sequence with the same rows. Pages are shared until one of the two writes to them. */
  fork(): CacheSequence {
    const fork = new CacheSequence(this.#pool, this.layers);
    this.#tables.forEach((table, layer) => {
      for (const page of table) this.#pool.hold(page);
      fork.#tables[layer] = table.slice();
    });
    fork.#length = this.#length;
    return fork;
  }

  /**
   * The most pages that `reserve(n)` takes now: new ones, and copies of pages that are shared. What
   * other sequences reserve before only lowers it. Where that many are not available, n rows may
   * still fit.
   */
  needed(n: number): number {
    const missing = Math.max(0, pagesOf(this.#length + n) - this.#tables[0].length);
    return this.layers * (missing + (this.#isLastShared ? 1 : 0));
  }

  /**
   * Whether n rows fit, and leave `spare` pages available. A last block that only this sequence
   * holds is then evicted rather than copied, if the copies do not fit.
   */
  fits(n: number, spare = 0): boolean {
    const saved = this.#isLastEvictable ? this.layers : 0;
    return this.needed(n) - saved + spare <= this.#pool.available;
  }

  /**
   * Holds the pages of the first `length` rows, block by block: block i has the pages of rows from
   * 64i on, one for each layer. The sequence is empty; they stay shared until it writes to them.
   */
  adopt(blocks: readonly Block[], length: number): void {
    for (const block of blocks) {
      for (const [layer, page] of block.entries()) {
        this.#pool.hold(page);
        this.#tables[layer].push(page);
      }
    }
    this.#length = length;
  }

  /** The pages of rows from 64 * index on, one for each layer. */
  block(index: number): Block {
    return this.#tables.map((table) => table[index]);
  }

  /** Holds other pages with the same rows in place of a block's. */
  exchange(index: number, block: Block): void {
    for (const [layer, table] of this.#tables.entries()) {
      this.#pool.hold(block[layer]);
      this.#pool.release(table[index]);
      table[index] = block[layer];
    }
  }

  /**
   * Makes room for n more rows in pages that only this sequence holds. Throws CACHE_FULL and then
   * changes nothing.
   */
  reserve(n: number): void {
    const pool = this.#pool;
    const isShort = this.needed(n) > pool.available;
    if (isShort && this.#isLastEvictable && this.fits(n)) pool.evict(this.#tables[0][this.#last]);
    pool.expectFree(this.needed(n));
    if (this.#isLastShared) this.#copyLast();
    const end = pagesOf(this.#length + n);
    for (const table of this.#tables) while (table.length < end) table.push(pool.take());
  }

  /** Adds n rows, written to the room that `reserve` made. */
  append(n: number): void {
    this.#length += n;
  }

  /** Forgets the rows from `length` on and gives back the pages without rows. */
  truncate(length: number): void {
    this.#length = length;
    const end = pagesOf(length);
    for (const table of this.#tables) {
      while (table.length > end) this.#pool.release(table.pop()!);
    }
  }

  /** Writes the address of each page to u32[layers, stride]. */
  writeTables(words: Uint32Array, stride: number): void {
    this.#tables.forEach((table, layer) => {
      const at = layer * stride;
      for (let i = 0; i < table.length; i++) words[at + i] = this.#pool.address(table[i]);
    });
  }

  /** The rows of a page, in place: 64, the last page may have fewer. */
  page(layer: number, index: number): Uint8Array {
    const rows = Math.min(PAGE_ROWS, this.#length - index * PAGE_ROWS);
    return this.#pool.bytes(this.#tables[layer][index], rows * this.rowBytes);
  }

  /** Gives all pages back. */
  dispose(): void {
    this.truncate(0);
  }

  /** The index of the page that the last row is in. */
  get #last(): number {
    return pagesOf(this.#length) - 1;
  }

  /** Whether the next row belongs into a page that must not be written to; as in every layer. */
  get #isLastShared(): boolean {
    return this.#length % PAGE_ROWS > 0 && this.#pool.isShared(this.#tables[0][this.#last]);
  }

  /** Whether the last page is shared with the tree only. */
  get #isLastEvictable(): boolean {
    return this.#isLastShared && this.#pool.holders(this.#tables[0][this.#last]) === 1;
  }

  /** Copies the rows of each layer's last page into a page of the sequence's own. */
  #copyLast(): void {
    const pool = this.#pool;
    const last = this.#last;
    const bytes = (this.#length % PAGE_ROWS) * this.rowBytes;
    for (const table of this.#tables) {
      const page = pool.take();
      pool.bytes(page, bytes).set(pool.bytes(table[last], bytes));
      pool.release(table[last]);
      table[last] = page;
    }
  }
}
