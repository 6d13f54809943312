/**
 * Byte-pair encoding of one word: the adjacent pair of lowest rank merges, the leftmost first,
 * until none can. Short words are scanned for each merge; long ones use a heap.
 */
import { PairHeap } from "./heap.js";
import type { MergeTable } from "./merges.js";
import type { Symbols } from "./symbols.js";

/** The longest word, in bytes, that is scanned for every merge. */
const SHORT_WORD_BYTES = 64;

/** Encodes words with one vocabulary and its merges. */
export class Bpe {
  /** Oddities of the vocabulary, in sentences. */
  readonly warnings: string[] = [];
  #symbols: Symbols;
  #merges: MergeTable;
  /** Symbol of each single byte. */
  #byteSymbols: Int32Array = new Int32Array(256);
  /** By token: 1 for a single byte and for the result of a merge. */
  #isMade: Uint8Array;
  #ids: Int32Array = new Int32Array(SHORT_WORD_BYTES);
  /** Rank of the pair that begins at each symbol of a short word, -1 for none. */
  #ranks: Int32Array = new Int32Array(SHORT_WORD_BYTES);

  constructor(symbols: Symbols, merges: MergeTable) {
    this.#symbols = symbols;
    this.#merges = merges;
    const { tokenCount } = symbols;
    this.#isMade = new Uint8Array(tokenCount);
    const missing: number[] = [];
    for (let byte = 0; byte < 256; byte++) {
      const symbol = symbols.of(Uint8Array.of(byte), 0, 1);
      this.#byteSymbols[byte] = symbol;
      if (symbol < tokenCount) this.#isMade[symbol] = 1;
      else missing.push(byte);
    }
    for (let rank = 0; rank < merges.length; rank++) {
      const symbol = merges.merged(rank);
      if (symbol >= 0 && symbol < tokenCount) this.#isMade[symbol] = 1;
    }
    if (missing.length === 0) return;
    const bytes = missing.map((byte) => `0x${byte.toString(16).padStart(2, "0")}`);
    const list = bytes.length > 8 ? `${bytes.slice(0, 8).join(", ")}, ...` : bytes.join(", ");
    this.warnings.push(`tokens: none for ${bytes.length} of the 256 bytes (${list}): left out`);
  }

  /** Whether plain text can become token `id`. */
  makes(id: number): boolean {
    return this.#isMade[id] === 1;
  }

  /**
   * Appends the tokens of the word `bytes[start..end)` to `out`. A symbol without a token becomes
   * those of its bytes, and a byte without a token nothing, as in llama.cpp (which also loses bytes
   * outside ASCII of such a symbol).
   */
  encode(bytes: Uint8Array, start: number, end: number, out: number[]): void {
    if (end - start <= SHORT_WORD_BYTES) this.#encodeShort(bytes, start, end, out);
    else this.#encodeLong(bytes.subarray(start, end), out);
  }

  #push(symbol: number, out: number[]): void {
    const { tokenCount } = this.#symbols;
    if (symbol < tokenCount) {
      out.push(symbol);
      return;
    }
    for (const byte of this.#symbols.bytesOf(symbol)) {
      if (this.#byteSymbols[byte] < tokenCount) out.push(this.#byteSymbols[byte]);
    }
  }

  #encodeShort(bytes: Uint8Array, start: number, end: number, out: number[]): void {
    const merges = this.#merges;
    const ids = this.#ids;
    const ranks = this.#ranks;
    let n = end - start;
    for (let i = 0; i < n; i++) ids[i] = this.#byteSymbols[bytes[start + i]];
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
    for (let i = 0; i < n; i++) this.#push(ids[i], out);
  }

  /** About n log n steps and 32 bytes of memory for each of the word's n bytes. */
  #encodeLong(word: Uint8Array, out: number[]): void {
    const n = word.length;
    const ids = Int32Array.from(word, (byte) => this.#byteSymbols[byte]);
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
      // The pair is gone if one of its symbols has merged since it was pushed.
      if (ranks[i] !== heap.rank) continue;
      const right = next[i];
      ids[i] = this.#merges.merged(ranks[i]);
      ranks[right] = -1;
      next[i] = next[right];
      if (next[i] < n) previous[next[i]] = i;
      rankPair(i);
      if (previous[i] >= 0) rankPair(previous[i]);
    }
    for (let i = 0; i < n; i = next[i]) this.#push(ids[i], out);
  }
}
