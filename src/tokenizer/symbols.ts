/**
 * What byte-pair encoding joins: the tokens of a vocabulary, and texts without a token that occur
 * between merges.
 */
import type { Vocabulary } from "./vocabulary.js";

/** Symbols by number: below `tokenCount` the token of that id, above it a text without a token. */
export class Symbols {
  readonly tokenCount: number;
  #vocabulary: Vocabulary;
  #numbers = new Map<string, number>();
  #bytes: Uint8Array[] = [];

  constructor(vocabulary: Vocabulary) {
    this.tokenCount = vocabulary.size;
    this.#vocabulary = vocabulary;
  }

  /** The symbol of `bytes[start..end)`, which `text` spells in the byte-level alphabet. */
  of(bytes: Uint8Array, start: number, end: number, text: string): number {
    const id = this.#vocabulary.find(bytes, start, end);
    if (id >= 0) return id;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.tokenCount + this.#bytes.length;
      this.#numbers.set(text, number);
      this.#bytes.push(bytes.slice(start, end));
    }
    return number;
  }

  /** The bytes of a symbol that is not a token. */
  bytesOf(symbol: number): Uint8Array {
    return this.#bytes[symbol - this.tokenCount];
  }
}
