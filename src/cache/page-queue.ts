/** Pages in the order of their last use: a doubly linked list in arrays, each step O(1). */

export class PageQueue {
  /** The neighbours of each page; those of the list's two ends are at `count`. */
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;
  readonly #end: number;
  #length = 0;

  /** An empty queue, for pages below `count`. */
  constructor(count: number) {
    this.#end = count;
    this.#next = new Uint32Array(count + 1).fill(count);
    this.#previous = new Uint32Array(count + 1).fill(count);
  }

  get length(): number {
    return this.#length;
  }

  /** The page that was not used for longest; undefined without any. */
  get oldest(): number | undefined {
    return this.#length === 0 ? undefined : this.#next[this.#end];
  }

  /** Adds a page, which is not in the queue, as the one that was used last. */
  push(page: number): void {
    const newest = this.#previous[this.#end];
    this.#link(newest, page);
    this.#link(page, this.#end);
    this.#length++;
  }

  /** Removes a page, which is in the queue. */
  remove(page: number): void {
    this.#link(this.#previous[page], this.#next[page]);
    this.#length--;
  }

  #link(before: number, after: number): void {
    this.#next[before] = after;
    this.#previous[after] = before;
  }
}
