/** A binary heap of ranked pairs, for byte-pair encoding of long words. */

const POSITIONS = 2 ** 32;

/** Returns pairs by rank, and by position within a rank. */
export class PairHeap {
  /** Rank of the pair popped last. */
  rank = -1;
  /** Position of the pair popped last. */
  position = -1;
  /** Rank * 2^32 + position: exact for ranks below 2^21. */
  #keys: Float64Array;
  #size = 0;

  /** A heap with room for `capacity` pairs; it grows when more are pushed. */
  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  push(rank: number, position: number): void {
    if (this.#size === this.#keys.length) {
      const grown = new Float64Array(this.#size * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    const keys = this.#keys;
    const key = rank * POSITIONS + position;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[i] = keys[parent];
      i = parent;
    }
    keys[i] = key;
  }

  /** Removes the lowest pair and sets `rank` and `position`; false if there is none. */
  pop(): boolean {
    if (this.#size === 0) return false;
    const keys = this.#keys;
    const top = keys[0];
    this.rank = Math.floor(top / POSITIONS);
    this.position = top - this.rank * POSITIONS;
    const key = keys[--this.#size];
    const size = this.#size;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= key) break;
      keys[i] = keys[child];
      i = child;
    }
    keys[i] = key;
    return true;
  }
}
