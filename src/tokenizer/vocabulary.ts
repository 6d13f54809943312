/**
 * The tokens of a byte-level vocabulary: one array with the bytes of all of them, and an index from
 * bytes to id of those that byte-pair encoding may make.
 */
import { PlmError, quote } from "../errors.js";
import { requireGlobal } from "../globals.js";
import { ByteBuffer } from "./bytes.js";

/** GGUF `tokenizer.ggml.token_type`. */
export const TokenType = {
  normal: 1,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

/** FNV-1a over `bytes[start..end)`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash ^ (hash >>> 15);
}

/** The byte that a token of type byte, such as `<0x0A>`, stands for. */
function byteOf(text: string, id: number): number {
  const digits = /^<0x([0-9A-Fa-f]{2})>$/.exec(text);
  if (digits) return Number.parseInt(digits[1], 16);
  throw new PlmError(
    "INVALID_FILE",
    `token ${id}: expected a byte like <0x0A>, got ${quote(text)}`,
  );
}

/** Tokens by id and by bytes. */
export class Vocabulary {
  readonly size: number;
  #bytes: Uint8Array<ArrayBuffer>;
  /** Token `id` has the bytes `offsets[id]` to `offsets[id + 1]`. */
  #offsets: Uint32Array;
  /** Open addressing: id plus one of an indexed token, 0 where free. */
  #slots: Int32Array;

  /** Throws INVALID_FILE where a token's text does not suit its type. */
  constructor(tokens: readonly string[], tokenTypes: ArrayLike<number>) {
    this.size = tokens.length;
    this.#offsets = new Uint32Array(tokens.length + 1);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(tokens.length * 2 + 2)));
    const buffer = new ByteBuffer();
    const utf8 = new (requireGlobal("TextEncoder"))();
    for (let id = 0; id < tokens.length; id++) {
      const type = tokenTypes[id];
      const text = tokens[id];
      let spelled = false;
      if (type === TokenType.byte) buffer.push(Uint8Array.of(byteOf(text, id)));
      else if (type === TokenType.normal) {
        spelled = buffer.pushSpelled(text);
        if (!spelled) buffer.push(utf8.encode(text));
      } else if (type !== TokenType.unused) buffer.push(utf8.encode(text));
      this.#offsets[id + 1] = buffer.length;
      if (spelled) this.#insert(buffer.bytes, id);
    }
    this.#bytes = buffer.bytes.slice(0, buffer.length);
  }

  /** The bytes that token `id` stands for, a view; none for an unused token. */
  bytesOf(id: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#offsets[id], this.#offsets[id + 1]);
  }

  /** Id of the normal token with exactly the bytes `bytes[start..end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(this.#bytes, bytes, start, end)] - 1;
  }

  /** Indexes token `id`; of tokens with the same bytes the first counts. */
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
