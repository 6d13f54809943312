/**
 * The tokens of words met before, in a table of fixed size: each word has one place, and the latest
 * word that belongs there has it.
 */
import { hashBytes } from "./vocabulary.js";

const PLACES = 2 ** 15;
/** Longest word in bytes, and most tokens of a word, that are kept. */
const MAX_BYTES = 23;
const MAX_TOKENS = 7;
const KEY_STRIDE = MAX_BYTES + 1;
const TOKEN_STRIDE = MAX_TOKENS + 1;

/** Words and their tokens; 1.8 MB however much text goes by. */
export class WordCache {
  /** A word's length in bytes (0 where free), then its bytes. */
  #keys: Uint8Array = new Uint8Array(PLACES * KEY_STRIDE);
  /** A word's count of tokens, then the tokens. */
  #tokens: Int32Array = new Int32Array(PLACES * TOKEN_STRIDE);

  /** The place of the word `bytes[start..end)`, or -1 if it is too long to be kept. */
  placeOf(bytes: Uint8Array, start: number, end: number): number {
    return end - start > MAX_BYTES ? -1 : hashBytes(bytes, start, end) & (PLACES - 1);
  }

  /** Appends the tokens of the word to `out` if they are here; returns whether they were. */
  read(place: number, bytes: Uint8Array, start: number, end: number, out: number[]): boolean {
    const keys = this.#keys;
    const key = place * KEY_STRIDE;
    const length = end - start;
    if (keys[key] !== length) return false;
    for (let i = 0; i < length; i++) if (keys[key + 1 + i] !== bytes[start + i]) return false;
    const first = place * TOKEN_STRIDE + 1;
    const count = this.#tokens[first - 1];
    for (let i = 0; i < count; i++) out.push(this.#tokens[first + i]);
    return true;
  }

  /** Keeps a word whose tokens are those of `out` from index `from`, unless there are too many. */
  write(place: number, word: Uint8Array, out: readonly number[], from: number): void {
    const count = out.length - from;
    if (count > MAX_TOKENS) return;
    this.#keys[place * KEY_STRIDE] = word.length;
    this.#keys.set(word, place * KEY_STRIDE + 1);
    const first = place * TOKEN_STRIDE + 1;
    this.#tokens[first - 1] = count;
    for (let i = 0; i < count; i++) this.#tokens[first + i] = out[from + i];
  }
}
