/** Appends little-endian fields to a growing byte array. */

import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import { NUMBER_ARRAYS, type NumberType } from "./metadata.js";

export class ByteWriter {
  length = 0;
  #bytes: OwnBytes = new Uint8Array(1 << 12);
  #view: DataView = new DataView(this.#bytes.buffer);
  readonly #encoder = new (requireGlobal("TextEncoder"))();

  /** What was written so far; valid until the next write. */
  bytes(): OwnBytes {
    return this.#bytes.subarray(0, this.length);
  }

  u32(value: number): void {
    this.number("uint32", value);
  }

  /** A count; at most 2^53. */
  u64(value: number): void {
    this.number("uint64", value);
  }

  /** Byte length and UTF-8; lone surrogates become U+FFFD. */
  string(text: string): void {
    const utf8 = this.#encoder.encode(text);
    this.u64(utf8.length);
    this.append(utf8);
  }

  zeros(count: number): void {
    this.#extend(count);
  }

  /** Bytes as they are. */
  append(bytes: Uint8Array): void {
    const start = this.#extend(bytes.length);
    this.#bytes.set(bytes, start);
  }

  /** A number that the type can hold; 64-bit integers take bigint as well. */
  number(type: NumberType, value: number | bigint): void {
    const start = this.#extend(NUMBER_ARRAYS[type].BYTES_PER_ELEMENT);
    const view = this.#view;
    switch (type) {
      case "uint8":
        view.setUint8(start, Number(value));
        break;
      case "int8":
        view.setInt8(start, Number(value));
        break;
      case "uint16":
        view.setUint16(start, Number(value), true);
        break;
      case "int16":
        view.setInt16(start, Number(value), true);
        break;
      case "uint32":
        view.setUint32(start, Number(value), true);
        break;
      case "int32":
        view.setInt32(start, Number(value), true);
        break;
      case "float32":
        view.setFloat32(start, Number(value), true);
        break;
      case "float64":
        view.setFloat64(start, Number(value), true);
        break;
      case "uint64":
        view.setBigUint64(start, BigInt(value), true);
        break;
      case "int64":
        view.setBigInt64(start, BigInt(value), true);
        break;
    }
  }

  /** Makes room for `count` zero bytes at the end and returns where they start. */
  #extend(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(this.length, this.#bytes.length * 2));
      longer.set(this.#bytes.subarray(0, start));
      this.#bytes = longer;
      this.#view = new DataView(longer.buffer);
    }
    return start;
  }
}
