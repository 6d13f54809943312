/** A binary heap of pairs of tokens, for the training of byte-pair encoding. */
import type { PairIndex } from "./pair-index.js";

/**
 * Returns the pair of the highest count; among equal counts, the pair with the lexicographically
 * smaller bytes of the left token, then of the right. A queued pair's count may only fall.
 */
export class PairQueue {
  #pairs: PairIndex;
  /** Bytes of each token as characters 0 to 255, so that strings compare as bytes do. */
  #bytes: readonly string[];
  #heap: number[] = [];
  /** By pair: its count when it was placed in the heap; its own may have fallen since. */
  #queued: number[] = [];

  /** `bytes` may grow as tokens are made. */
  constructor(pairs: PairIndex, bytes: readonly string[]) {
    this.#pairs = pairs;
    this.#bytes = bytes;
  }

  /** Adds a pair that is not queued. */
  push(pair: number): void {
    this.#queued[pair] = this.#pairs.counts[pair];
    const heap = this.#heap;
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#precedes(pair, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = pair;
  }

  /** Removes and returns the first pair; -1 if none comes at least `minCount` times. */
  pop(minCount: number): number {
    const heap = this.#heap;
    while (heap.length > 0) {
      const pair = heap[0];
      const count = this.#pairs.counts[pair];
      if (count === this.#queued[pair]) {
        const last = heap.pop()!;
        if (heap.length > 0) this.#sink(last);
        return count >= minCount ? pair : -1;
      }
      this.#queued[pair] = count;
      this.#sink(pair);
    }
    return -1;
  }

  /** Replaces the top by `pair` and sifts it down. */
  #sink(pair: number): void {
    const heap = this.#heap;
    const size = heap.length;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#precedes(heap[child + 1], heap[child])) child++;
      if (!this.#precedes(heap[child], pair)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = pair;
  }

  #precedes(a: number, b: number): boolean {
    const difference = this.#queued[a] - this.#queued[b];
    if (difference !== 0) return difference > 0;
    const pairs = this.#pairs;
    const leftA = this.#bytes[pairs.left(a)];
    const leftB = this.#bytes[pairs.left(b)];
    if (leftA !== leftB) return leftA < leftB;
    return this.#bytes[pairs.right(a)] < this.#bytes[pairs.right(b)];
  }
}
