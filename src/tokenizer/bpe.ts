/**
 * Byte-pair encoding of one word: of all adjacent pairs the one of lowest rank merges, the leftmost
 * first, until none can. Short words are scanned for each merge; long ones use a heap.
 */
import { PlmError } from "../errors.js";
import { PairHeap } from "./heap.js";
import type { MergeTable } from "./merges.js";
import type { Vocabulary } from "./vocabulary.js";

/** Longest word in bytes that is scanned for every merge. */
const SHORT_WORD_BYTES = 64;

/** Encodes words with one vocabulary and its merges. */
export class Bpe {
  #merges: MergeTable;
  /** Token of each single byte. */
  #byteTokens: Int32Array = new Int32Array(256);
  #ids: Int32Array = new Int32Array(SHORT_WORD_BYTES);
  /** Rank of the pair that begins at each symbol of a short word, -1 for none. */
  #ranks: Int32Array = new Int32Array(SHORT_WORD_BYTES);

  /** Throws INVALID_FILE if the vocabulary lacks a token of one byte. */
  constructor(vocabulary: Vocabulary, merges: MergeTable) {
    this.#merges = merges;
    for (let byte = 0; byte < 256; byte++) {
      const id = vocabulary.find(Uint8Array.of(byte), 0, 1);
      if (id < 0) throw new PlmError("INVALID_FILE", `vocabulary: no token for byte ${byte}`);
      this.#byteTokens[byte] = id;
    }
  }

  /** Appends the tokens of the word `bytes[start..end)` to `out`. */
  encode(bytes: Uint8Array, start: number, end: number, out: number[]): void {
    if (end - start <= SHORT_WORD_BYTES) this.#encodeShort(bytes, start, end, out);
    else this.#encodeLong(bytes.subarray(start, end), out);
  }

  #encodeShort(bytes: Uint8Array, start: number, end: number, out: number[]): void {
    const merges = this.#merges;
    const ids = this.#ids;
    const ranks = this.#ranks;
    let n = end - start;
    for (let i = 0; i < n; i++) ids[i] = this.#byteTokens[bytes[start + i]];
    for (let i = 0; i + 1 < n; i++) ranks[i] = merges.rankOf(ids[i], ids[i + 1]);
    while (n > 1) {
      let best = -1;
      for (let i = 0; i + 1 < n; i++) {
        if (ranks[i] >= 0 && (best < 0 || ranks[i] < ranks[best])) best = i;
      }
      if (best < 0) break;
      ids[best] = merges.merged(ranks[best]);
      n--;
      for (let i = best + 1; i < n; i++) {
        ids[i] = ids[i + 1];
        ranks[i] = ranks[i + 1];
      }
      if (best > 0) ranks[best - 1] = merges.rankOf(ids[best - 1], ids[best]);
      if (best + 1 < n) ranks[best] = merges.rankOf(ids[best], ids[best + 1]);
    }
    for (let i = 0; i < n; i++) out.push(ids[i]);
  }

  /** About n log n steps and 32 bytes of memory for each of the word's n bytes. */
  #encodeLong(word: Uint8Array, out: number[]): void {
    const n = word.length;
    const ids = Int32Array.from(word, (byte) => this.#byteTokens[byte]);
    const previous = Int32Array.from(word, (_, i) => i - 1);
    const next = Int32Array.from(word, (_, i) => i + 1);
    const ranks = new Int32Array(n).fill(-1);
    const heap = new PairHeap(n);
    const rankPair = (i: number): void => {
      ranks[i] = next[i] < n ? this.#merges.rankOf(ids[i], ids[next[i]]) : -1;
      if (ranks[i] >= 0) heap.push(ranks[i], i);
    };
    for (let i = 0; i < n; i++) rankPair(i);
    while (heap.pop()) {
      const i = heap.position;
      // The pair is no more if one of its symbols has merged since it was pushed.
      if (ranks[i] !== heap.rank) continue;
      const right = next[i];
      ids[i] = this.#merges.merged(ranks[i]);
      ranks[right] = -1;
      next[i] = next[right];
      if (next[i] < n) previous[next[i]] = i;
      rankPair(i);
      if (previous[i] >= 0) rankPair(previous[i]);
    }
    for (let i = 0; i < n; i = next[i]) out.push(ids[i]);
  }
}
