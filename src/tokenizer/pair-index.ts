/** The pairs of adjacent tokens in words: how often each comes, and where. */

/** Fields of a pair in `#pairs`: its tokens, then its first and its last place, -1 for none. */
const LEFT = 0;
const RIGHT = 1;
const FIRST = 2;
const LAST = 3;
const STRIDE = 4;

/** Pairs numbered from 0 in order of appearance; a place has at most one pair. */
export class PairIndex {
  /** The number of pairs. */
  size = 0;
  /** How often each pair comes; longer than `size`. */
  counts: Float64Array = new Float64Array(1024);
  #pairs: Int32Array = new Int32Array(1024 * STRIDE);
  /** Places of the same pair, in the order in which they were added; -1 at the ends. */
  #next: Int32Array;
  #previous: Int32Array;
  /** Open addressing: a pair's number plus one, 0 where free. At most half are taken. */
  #slots: Int32Array = new Int32Array(2048);

  /** An index of the places 0 to `places`. */
  constructor(places: number) {
    this.#next = new Int32Array(places);
    this.#previous = new Int32Array(places);
  }

  /** The left token of a pair. */
  left(pair: number): number {
    return this.#pairs[pair * STRIDE + LEFT];
  }

  /** The right token of a pair. */
  right(pair: number): number {
    return this.#pairs[pair * STRIDE + RIGHT];
  }

  /** The earliest added place that the pair still has, or -1. */
  firstPlace(pair: number): number {
    return this.#pairs[pair * STRIDE + FIRST];
  }

  /** Adds `count` occurrences of the pair of `left` and `right`, all at `place`. */
  add(place: number, left: number, right: number, count: number): void {
    const pair = this.#findOrInsert(left, right);
    const last = this.#pairs[pair * STRIDE + LAST];
    this.counts[pair] += count;
    this.#previous[place] = last;
    this.#next[place] = -1;
    this.#pairs[pair * STRIDE + LAST] = place;
    if (last < 0) this.#pairs[pair * STRIDE + FIRST] = place;
    else this.#next[last] = place;
  }

  /** Removes the pair at `place`. */
  remove(place: number, left: number, right: number, count: number): void {
    const pair = this.#slots[this.#slotOf(left, right)] - 1;
    const previous = this.#previous[place];
    const next = this.#next[place];
    this.counts[pair] -= count;
    if (previous < 0) this.#pairs[pair * STRIDE + FIRST] = next;
    else this.#next[previous] = next;
    if (next < 0) this.#pairs[pair * STRIDE + LAST] = previous;
    else this.#previous[next] = previous;
  }

  #findOrInsert(left: number, right: number): number {
    const slot = this.#slotOf(left, right);
    if (this.#slots[slot] > 0) return this.#slots[slot] - 1;
    const pair = this.size++;
    this.#slots[slot] = this.size;
    this.#pairs.set([left, right, -1, -1], pair * STRIDE);
    if (this.size === this.counts.length) this.#grow();
    return pair;
  }

  #grow(): void {
    const { size, counts } = this;
    const pairs = this.#pairs;
    this.counts = new Float64Array(size * 2);
    this.counts.set(counts);
    this.#pairs = new Int32Array(size * 2 * STRIDE);
    this.#pairs.set(pairs);
    this.#slots = new Int32Array(size * 4);
    for (let pair = 0; pair < size; pair++) {
      this.#slots[this.#slotOf(this.left(pair), this.right(pair))] = pair + 1;
    }
  }

  /** The slot that holds this pair, or the free one where it belongs. */
  #slotOf(left: number, right: number): number {
    const slots = this.#slots;
    const pairs = this.#pairs;
    const mask = slots.length - 1;
    const hash = Math.imul(left, 0x9e3779b1) + Math.imul(right, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (; slots[slot] > 0; slot = (slot + 1) & mask) {
      const at = (slots[slot] - 1) * STRIDE;
      if (pairs[at + LEFT] === left && pairs[at + RIGHT] === right) break;
    }
    return slot;
  }
}
