/**
 * The tokens of a byte-level vocabulary: one array with the bytes of all of them, and an index from
 * bytes to ids.
 */
import { requireGlobal } from "../globals.js";
import { ByteBuffer } from "./bytes.js";

/** GGUF `tokenizer.ggml.token_type`. A type outside these counts as normal. */
export const TokenType = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

const OTHER_TYPES: ReadonlySet<number> = new Set([2, 3, 4, 5, 6]);

/** Whether a token of this type is normal. */
export function isNormal(type: number): boolean {
  return !OTHER_TYPES.has(type);
}

/** FNV-1a over `bytes[start..end)`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Tokens by id and by bytes. */
export class Vocabulary {
  readonly size: number;
  #bytes: Uint8Array<ArrayBuffer>;
  /** Token `id` has the bytes `offsets[id]` to `offsets[id + 1]`. */
  #offsets: Uint32Array;
  /** Open addressing: id plus one of an indexed token, 0 where free. */
  #slots: Int32Array;

  /** `tokenTypes` are at least as many as `tokens`. */
  constructor(tokens: readonly string[], tokenTypes: ArrayLike<number>) {
    this.size = tokens.length;
    this.#offsets = new Uint32Array(tokens.length + 1);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(tokens.length * 2 + 2)));
    const buffer = new ByteBuffer();
    const utf8 = new (requireGlobal("TextEncoder"))();
    const others: number[] = [];
    for (let id = 0; id < tokens.length; id++) {
      const spelled = buffer.pushSpelled(tokens[id]);
      if (!spelled) buffer.push(utf8.encode(tokens[id]));
      this.#offsets[id + 1] = buffer.length;
      if (!spelled) continue;
      if (isNormal(tokenTypes[id])) this.#insert(buffer.bytes, id);
      else others.push(id);
    }
    this.#bytes = buffer.bytes.slice(0, buffer.length);
    for (const id of others) this.#insert(this.#bytes, id);
  }

  /**
   * The bytes that the text of token `id` spells in the byte-level alphabet, or those of the text
   * itself if it uses other characters; a view. With `end`, those of all tokens before that one.
   */
  bytesOf(id: number, end: number = id + 1): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#offsets[id], this.#offsets[end]);
  }

  /** How many bytes `bytesOf` returns. */
  lengthOf(id: number): number {
    return this.#offsets[id + 1] - this.#offsets[id];
  }

  /**
   * Id of the token that spells exactly the bytes `bytes[start..end)`, or -1. The token's type does
   * not matter, as in llama.cpp and in Hugging Face's tokenizers, where an added token that the
   * vocabulary already had keeps its id and its merges. Of tokens with the same text a normal one
   * counts, else the first (llama.cpp refuses such files).
   */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(this.#bytes, bytes, start, end)] - 1;
  }

  /** Indexes token `id` unless one with the same bytes is indexed. */
  #insert(bytes: Uint8Array, id: number): void {
    const slot = this.#slotOf(bytes, bytes, this.#offsets[id], this.#offsets[id + 1]);
    if (this.#slots[slot] === 0) this.#slots[slot] = id + 1;
  }

  /** The slot that holds these bytes, or the free one where they belong. */
  #slotOf(own: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashBytes(bytes, start, end) & mask;
    while (
      this.#slots[slot] !== 0 &&
      !this.#equals(own, this.#slots[slot] - 1, bytes, start, end)
    ) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #equals(own: Uint8Array, id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.#offsets[id];
    if (this.#offsets[id + 1] - offset !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (own[offset + i] !== bytes[start + i]) return false;
    return true;
  }
}
