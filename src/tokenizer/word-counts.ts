/** The distinct words of texts, and how often each came. */
import { ByteBuffer } from "./bytes.js";
import { endOfWord } from "./pretokenize.js";
import { hashBytes } from "./vocabulary.js";

/** Words of texts, split by the Qwen2 pattern, in order of first appearance. */
export class WordCounts {
  /** How many distinct words there are. */
  size = 0;
  /** Bytes of all texts. */
  totalBytes = 0;
  /** How often each word came; longer than `size`. */
  counts: Float64Array = new Float64Array(1024);
  /** Word `i` has the bytes `offsets[i]` to `offsets[i + 1]`; longer than `size + 1`. */
  offsets: Float64Array = new Float64Array(1025);
  #buffer = new ByteBuffer();
  /** Open addressing: a word's index plus one, 0 where free. At most half are taken. */
  #slots: Int32Array = new Int32Array(2048);

  /** The bytes of all words, one after another; has room for more. */
  get bytes(): Uint8Array {
    return this.#buffer.bytes;
  }

  /** Counts the words of `text`, which is well-formed UTF-8. */
  add(text: Uint8Array): void {
    this.totalBytes += text.length;
    for (let start = 0; start < text.length; ) {
      const end = endOfWord(text, start, text.length);
      const slot = this.#slotOf(text, start, end);
      if (this.#slots[slot] > 0) this.counts[this.#slots[slot] - 1]++;
      else this.#insert(text.subarray(start, end), slot);
      start = end;
    }
  }

  #insert(word: Uint8Array, slot: number): void {
    this.#buffer.push(word);
    this.counts[this.size] = 1;
    this.#slots[slot] = ++this.size;
    this.offsets[this.size] = this.#buffer.length;
    if (this.size === this.counts.length) this.#grow();
  }

  #grow(): void {
    const { size, counts, offsets } = this;
    this.counts = new Float64Array(size * 2);
    this.counts.set(counts);
    this.offsets = new Float64Array(size * 2 + 1);
    this.offsets.set(offsets);
    this.#slots = new Int32Array(size * 4);
    const { bytes } = this;
    for (let i = 0; i < size; i++) {
      this.#slots[this.#slotOf(bytes, offsets[i], offsets[i + 1])] = i + 1;
    }
  }

  /** The slot that holds the word `text[start..end)`, or the free one where it belongs. */
  #slotOf(text: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashBytes(text, start, end) & mask;
    for (; this.#slots[slot] > 0; slot = (slot + 1) & mask) {
      if (this.#equals(this.#slots[slot] - 1, text, start, end)) break;
    }
    return slot;
  }

  #equals(word: number, text: Uint8Array, start: number, end: number): boolean {
    const { bytes } = this.#buffer;
    const offset = this.offsets[word];
    if (this.offsets[word + 1] - offset !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (bytes[offset + i] !== text[start + i]) return false;
    return true;
  }
}
