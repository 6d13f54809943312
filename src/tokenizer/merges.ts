/** The merges of a byte-pair encoding: which pairs of symbols become one, and in which order. */
import { quote } from "../errors.js";
import { ByteBuffer } from "./bytes.js";
import type { Symbols } from "./symbols.js";

/** Merges by the pair of symbols; the rank of a merge is its place in the file. */
export class MergeTable {
  /** Oddities of the merges, in sentences. */
  readonly warnings: string[] = [];
  readonly length: number;
  /** Rank r merges `#merges[3 r]` and `#merges[3 r + 1]` into `#merges[3 r + 2]`. */
  #merges: Int32Array;
  /** Open addressing: rank plus one, 0 where free. */
  #slots: Int32Array;

  /**
   * `merges` are lines "left right" in the byte-level alphabet, the first of lowest rank.
   *
   * A line that is not a pair never applies, as in llama.cpp. A part or a result without a token is
   * an ordinary symbol on the way to one with a token, again as in llama.cpp; Hugging Face's
   * tokenizers refuse both. Of equal pairs the last counts, as in Hugging Face's tokenizers; in
   * llama.cpp the first does.
   */
  constructor(symbols: Symbols, merges: readonly string[]) {
    this.length = merges.length;
    this.#merges = new Int32Array(merges.length * 3);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(merges.length * 2 + 2)));
    const buffer = new ByteBuffer();
    const withoutPair: number[] = [];
    const withoutToken: number[] = [];
    for (let rank = 0; rank < merges.length; rank++) {
      if (!this.#parse(symbols, merges[rank], rank, buffer)) {
        withoutPair.push(rank);
        continue;
      }
      if (this.merged(rank) >= symbols.tokenCount) withoutToken.push(rank);
      this.#slots[this.#slotOf(this.#merges[3 * rank], this.#merges[3 * rank + 1])] = rank + 1;
    }
    this.#warn(merges, withoutPair, "not a pair of the byte-level alphabet, and never applied");
    this.#warn(merges, withoutToken, "without a token for the result; its bytes are used");
  }

  /** Rank of the merge of `left` with `right`, or -1. Lower ranks merge first. */
  rankOf(left: number, right: number): number {
    return this.#slots[this.#slotOf(left, right)] - 1;
  }

  /** The symbol that the merge of rank `rank` makes; -1 where the merge is not a pair. */
  merged(rank: number): number {
    return this.#merges[3 * rank + 2];
  }

  #warn(merges: readonly string[], ranks: readonly number[], what: string): void {
    if (ranks.length === 0) return;
    const first = `${quote(merges[ranks[0]])} at ${ranks[0]}`;
    const count = ranks.length === 1 ? `${first} is` : `${ranks.length}, ${first} first, are`;
    this.warnings.push(`merges: ${count} ${what}`);
  }

  /** Enters the merge, and returns whether it is a pair. */
  #parse(symbols: Symbols, merge: string, rank: number, buffer: ByteBuffer): boolean {
    const space = merge.indexOf(" ", 1);
    const isPair = space > 0 && space + 1 < merge.length;
    buffer.length = 0;
    if (!(isPair && buffer.pushSpelled(merge, 0, space) && buffer.pushSpelled(merge, space + 1))) {
      this.#merges.fill(-1, 3 * rank, 3 * rank + 3);
      return false;
    }
    const { bytes, length } = buffer;
    this.#merges[3 * rank] = symbols.of(bytes, 0, space);
    this.#merges[3 * rank + 1] = symbols.of(bytes, space, length);
    this.#merges[3 * rank + 2] = symbols.of(bytes, 0, length);
    return true;
  }

  /** The slot that holds this pair, or the free one where it belongs. */
  #slotOf(left: number, right: number): number {
    const slots = this.#slots;
    const merges = this.#merges;
    const mask = slots.length - 1;
    const hash = Math.imul(left, 0x9e3779b1) + Math.imul(right, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const rank = slots[slot] - 1;
      if (merges[3 * rank] === left && merges[3 * rank + 1] === right) break;
    }
    return slot;
  }
}
