/** One sequence in the cache: for each layer, the table of the pages that hold its rows. */
import { PAGE_ROWS } from "../kernels/packed.js";
import { type PagePool, pagesOf } from "./pages.js";

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
   * Makes room for n more rows in pages that only this sequence holds. Throws CACHE_FULL and then
   * changes nothing.
   */
  reserve(n: number): void {
    const pool = this.#pool;
    const used = this.#length % PAGE_ROWS;
    const last = pagesOf(this.#length) - 1;
    const end = pagesOf(this.#length + n);
    const copied = this.#tables.filter((table) => used > 0 && pool.isShared(table[last]));
    const missing = this.#tables.reduce((sum, table) => sum + end - table.length, 0);
    pool.expectFree(missing + copied.length);
    for (const table of copied) {
      const page = pool.take();
      const bytes = used * this.rowBytes;
      pool.bytes(page, bytes).set(pool.bytes(table[last], bytes));
      pool.release(table[last]);
      table[last] = page;
    }
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
}
