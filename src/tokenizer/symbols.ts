/**
 * What byte-pair encoding joins: the tokens of a vocabulary, and texts without a token that occur
 * between merges.
 */
import type { Vocabulary } from "./vocabulary.js";

/** Symbols by number: below `tokenCount` the token of that id, above it a text without a token. */
export class Symbols {
  readonly tokenCount: number;
  #vocabulary: Vocabulary;
  /** Numbers of the texts without a token, by their bytes as characters. */
  #numbers = new Map<string, number>();
  #bytes: Uint8Array[] = [];

  constructor(vocabulary: Vocabulary) {
    this.tokenCount = vocabulary.size;
    this.#vocabulary = vocabulary;
  }

  /** The symbol of `bytes[start..end)`. */
  of(bytes: Uint8Array, start: number, end: number): number {
    const id = this.#vocabulary.find(bytes, start, end);
    if (id >= 0) return id;
    const own = bytes.slice(start, end);
    const key = Array.from(own, (byte) => String.fromCharCode(byte)).join("");
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.tokenCount + this.#bytes.length;
      this.#numbers.set(key, number);
      this.#bytes.push(own);
    }
    return number;
  }

  /** The bytes of a symbol that is not a token. */
  bytesOf(symbol: number): Uint8Array {
    return this.#bytes[symbol - this.tokenCount];
  }
}
