/** Reads the fields of a GGUF header from bytes, and refuses what the file could not hold. */

import { PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";

/** Where bytes lie in a file. */
export interface ByteRange {
  offset: number;
  byteLength: number;
}

/** Thrown by a Cursor that needs bytes which the file may have but which are not read yet. */
export class NeedsMoreBytes {}

/** Texts up to this length may be read without a decoder. */
const SHORT_TEXT_BYTES = 16;

/** A position in a header. Numbers are little-endian and unaligned. */
export class Cursor {
  readonly name: string;
  /** What is being read, for messages. */
  context = "the header";
  position = 0;
  /** Nested arrays so far: each takes far more memory than its bytes in the file. */
  nestedArrays = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #limit = 0;
  // U+FEFF is a character of a value like any other.
  readonly #decoder = new (requireGlobal("TextDecoder"))("utf-8", { ignoreBOM: true });
  readonly #strictDecoder = new (requireGlobal("TextDecoder"))("utf-8", {
    ignoreBOM: true,
    fatal: true,
  });

  /** `name` is the file's, for messages. Starts without bytes. */
  constructor(name: string) {
    this.name = name;
  }

  /** Sets the first bytes of the file, and the most that a header could have. */
  setBytes(bytes: Uint8Array, limit: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#limit = limit;
  }

  /** An error that names the file and what is being read. */
  invalid(message: string): PlmError {
    return new PlmError("INVALID_FILE", `${this.name}: ${this.context}: ${message}`);
  }

  unsupported(message: string): PlmError {
    return new PlmError("UNSUPPORTED_FILE", `${this.name}: ${this.context}: ${message}`);
  }

  /** Moves past `length` bytes and returns where they start. */
  take(length: number): number {
    const start = this.position;
    const end = start + length;
    if (end > this.#bytes.length) {
      if (end > this.#limit) {
        throw this.invalid(`goes past byte ${this.#limit}, where the file or the header must end`);
      }
      throw new NeedsMoreBytes();
    }
    this.position = end;
    return start;
  }

  u8(): number {
    return this.#bytes[this.take(1)];
  }

  /** Any byte but 0 is true, as in C. */
  bool(): boolean {
    return this.u8() !== 0;
  }

  i8(): number {
    return this.#view.getInt8(this.take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  i16(): number {
    return this.#view.getInt16(this.take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.take(8), true);
  }

  /** A number, or a bigint from 2^53 on. */
  u64(): number | bigint {
    const start = this.take(8);
    const high = this.#view.getUint32(start + 4, true);
    if (high >= 1 << 21) return this.#view.getBigUint64(start, true);
    return high * 2 ** 32 + this.#view.getUint32(start, true);
  }

  /** A number, or a bigint from 2^53 and -2^53 on. */
  i64(): number | bigint {
    const value = this.#view.getBigInt64(this.take(8), true);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  /** A u64 count of items of at least `itemBytes` each that the rest of the file could hold. */
  count(itemBytes: number, items: string): number {
    const count = this.u64();
    const left = this.#limit - this.position;
    if (typeof count === "bigint" || count * itemBytes > left) {
      throw this.invalid(`${count} ${items} do not fit in the ${left} bytes that are left`);
    }
    return count;
  }

  /** A copy of `length` bytes. */
  copy(length: number): OwnBytes {
    const start = this.take(length);
    return this.#bytes.slice(start, start + length) as OwnBytes;
  }

  /** A string value: bytes that are not UTF-8 become U+FFFD. */
  string(): string {
    const length = this.count(1, "bytes of text");
    const start = this.take(length);
    const text = length <= SHORT_TEXT_BYTES ? this.#shortText(start, start + length) : undefined;
    return text ?? this.#decoder.decode(this.#bytes.subarray(start, start + length));
  }

  /**
   * A text of characters of one or two bytes, as nearly all tokens and merges are: in browsers, a
   * call of the decoder takes longer. Undefined for any other bytes.
   */
  #shortText(start: number, end: number): string | undefined {
    const bytes = this.#bytes;
    let text = "";
    for (let i = start; i < end; i++) {
      let code = bytes[i];
      if (code >= 0x80) {
        // C0 and C1 begin no character.
        if (code < 0xc2 || code > 0xdf || ++i === end || (bytes[i] & 0xc0) !== 0x80) {
          return undefined;
        }
        code = ((code & 0x1f) << 6) | (bytes[i] & 0x3f);
      }
      text += String.fromCharCode(code);
    }
    return text;
  }

  /** Moves past a string. */
  skipString(): void {
    this.take(this.count(1, "bytes of text"));
  }

  /** A key or a tensor's name: UTF-8 of at most 65535 bytes. */
  identifier(): string {
    const length = this.count(1, "bytes of text");
    if (length > 65535) throw this.invalid(`a name of ${length} bytes; at most 65535 are allowed`);
    const start = this.take(length);
    try {
      return this.#strictDecoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.invalid(`the name at byte ${start} is not UTF-8`);
    }
  }
}
