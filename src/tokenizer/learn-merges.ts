/** Learns the merges of a byte-pair encoding from counted words. */
import { PairIndex } from "./pair-index.js";
import { PairQueue } from "./pair-queue.js";
import type { WordCounts } from "./word-counts.js";

/** The result. Token `id` is byte `id` below 256, and above it the result of merge `id - 256`. */
export interface LearntMerges {
  /** Bytes of each token as characters 0 to 255; no two are equal. */
  bytes: string[];
  /** The two tokens that each merge joins, the first merge first. */
  merges: [left: number, right: number][];
  /** Tokens of all words after the merges, each word counted as often as it came. */
  tokenCount: number;
}

/**
 * At most `maxMerges` merges, in the order in which they apply. Each time the most frequent pair of
 * adjacent tokens, as PairQueue orders them, becomes a token wherever it is, from left to right.
 * Ends early when no pair comes `minFrequency` (at least 1) times. Overlapping occurrences of a
 * pair count: three equal bytes are two pairs. Takes about n log n steps for n bytes of distinct
 * words, and 16 bytes of memory for each, not counting the table of pairs.
 */
export function learnMerges(
  words: WordCounts,
  maxMerges: number,
  minFrequency: number,
): LearntMerges {
  const text = new MergedText(words);
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const merges: [number, number][] = [];
  const queue = new PairQueue(text.pairs, bytes);
  let queued = 0;
  while (merges.length < maxMerges) {
    // A pair arises only while its newer token is made, so its count can only fall later.
    for (; queued < text.pairs.size; queued++) {
      if (text.pairs.counts[queued] >= minFrequency) queue.push(queued);
    }
    const pair = queue.pop(minFrequency);
    if (pair < 0) break;
    const left = text.pairs.left(pair);
    const right = text.pairs.right(pair);
    text.merge(pair);
    merges.push([left, right]);
    bytes.push(bytes[left] + bytes[right]);
  }
  return { bytes, merges, tokenCount: text.tokenCount };
}

/** The distinct words as tokens, and their pairs of adjacent tokens. */
class MergedText {
  readonly pairs: PairIndex;
  tokenCount = 0;
  /** A cell for each byte, -1 before and after each word. A token's outer cells hold its id. */
  #cells: Int32Array;
  /** Word of each cell. */
  #wordOf: Int32Array;
  #counts: Float64Array;
  /** Bytes of each token. */
  #lengths: number[] = new Array(256).fill(1);

  constructor({ size, bytes, offsets, counts }: WordCounts) {
    const cells = new Int32Array(offsets[size] + size + 1).fill(-1);
    const wordOf = new Int32Array(cells.length);
    const pairs = new PairIndex(cells.length);
    for (let word = 0; word < size; word++) {
      for (let i = offsets[word]; i < offsets[word + 1]; i++) {
        const cell = i + word + 1;
        cells[cell] = bytes[i];
        wordOf[cell] = word;
        if (cells[cell - 1] >= 0) pairs.add(cell - 1, cells[cell - 1], bytes[i], counts[word]);
      }
      this.tokenCount += counts[word] * (offsets[word + 1] - offsets[word]);
    }
    this.pairs = pairs;
    this.#cells = cells;
    this.#wordOf = wordOf;
    this.#counts = counts;
  }

  /** Makes the next token of every occurrence of `pair`, in the order of the text. */
  merge(pair: number): void {
    const { pairs } = this;
    const left = pairs.left(pair);
    const right = pairs.right(pair);
    const merged = this.#lengths.length;
    this.#lengths.push(this.#lengths[left] + this.#lengths[right]);
    for (let place = pairs.firstPlace(pair); place >= 0; place = pairs.firstPlace(pair)) {
      this.#mergeAt(place, left, right, merged);
    }
  }

  #mergeAt(place: number, left: number, right: number, merged: number): void {
    const { pairs } = this;
    const cells = this.#cells;
    const count = this.#counts[this.#wordOf[place]];
    const middle = place + this.#lengths[left];
    const end = place + this.#lengths[merged];
    const before = cells[place - 1];
    const after = cells[end];
    pairs.remove(place, left, right, count);
    cells[place] = merged;
    cells[end - 1] = merged;
    this.tokenCount -= count;
    if (before >= 0) {
      const start = place - this.#lengths[before];
      pairs.remove(start, before, left, count);
      pairs.add(start, before, merged, count);
    }
    if (after >= 0) {
      pairs.remove(middle, right, after, count);
      pairs.add(place, merged, after, count);
    }
  }
}
