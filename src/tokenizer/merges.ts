/** The merges of a byte-pair encoding: which pairs of tokens become one, and in which order. */
import { PlmError, quote } from "../errors.js";
import { ByteBuffer } from "./bytes.js";
import type { Vocabulary } from "./vocabulary.js";

/** Merges by the pair of token ids; the rank of a merge is its place in the file. */
export class MergeTable {
  /** Rank r merges `#merges[3 r]` and `#merges[3 r + 1]` into `#merges[3 r + 2]`. */
  #merges: Int32Array;
  /** Open addressing: rank plus one, 0 where free. */
  #slots: Int32Array;

  /**
   * `merges` are lines "left right" in the byte-level alphabet, the first of lowest rank. Throws
   * INVALID_FILE where one is not, or needs a token that the vocabulary lacks.
   */
  constructor(vocabulary: Vocabulary, merges: readonly string[]) {
    this.#merges = new Int32Array(merges.length * 3);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(merges.length * 2 + 2)));
    const buffer = new ByteBuffer();
    for (let rank = 0; rank < merges.length; rank++) {
      this.#parse(vocabulary, merges[rank], rank, buffer);
      const slot = this.#slotOf(this.#merges[3 * rank], this.#merges[3 * rank + 1]);
      if (this.#slots[slot] === 0) this.#slots[slot] = rank + 1;
    }
  }

  /** Rank of the merge of `left` with `right`, or -1. Lower ranks merge first. */
  rankOf(left: number, right: number): number {
    return this.#slots[this.#slotOf(left, right)] - 1;
  }

  /** The token that the merge of rank `rank` makes. */
  merged(rank: number): number {
    return this.#merges[3 * rank + 2];
  }

  #parse(vocabulary: Vocabulary, merge: string, rank: number, buffer: ByteBuffer): void {
    const space = merge.indexOf(" ", 1);
    buffer.length = 0;
    const isPair =
      space > 0 &&
      buffer.pushSpelled(merge.slice(0, space)) &&
      buffer.pushSpelled(merge.slice(space + 1));
    if (!isPair) throw new PlmError("INVALID_FILE", `merge ${rank}: not a pair: ${quote(merge)}`);
    const left = vocabulary.find(buffer.bytes, 0, space);
    const right = vocabulary.find(buffer.bytes, space, buffer.length);
    const merged = vocabulary.find(buffer.bytes, 0, buffer.length);
    if (left < 0 || right < 0 || merged < 0) {
      const lacks = "needs a token that is missing";
      throw new PlmError("INVALID_FILE", `merge ${rank}: ${quote(merge)} ${lacks}`);
    }
    this.#merges.set([left, right, merged], 3 * rank);
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
