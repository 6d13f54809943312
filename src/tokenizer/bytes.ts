/**
 * The byte-level alphabet of GPT-2: every byte has one printable character, so that a vocabulary of
 * bytes can be kept as text. Also the growing byte buffer that vocabularies are read into.
 */

/** Largest character code of the alphabet plus one. */
const ALPHABET_END = 0x144;

/** Bytes that stand for themselves: printable ASCII and Latin-1 except the soft hyphen. */
function isPrintable(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}

/** Character code of each byte: its own if printable, else the next free one from 0x100 up. */
const charOfByte: Uint16Array = new Uint16Array(256);
/** Byte of each character code, -1 where the code is not in the alphabet. */
const byteOfChar: Int16Array = new Int16Array(ALPHABET_END).fill(-1);

for (let byte = 0, next = 0x100; byte < 256; byte++) {
  charOfByte[byte] = isPrintable(byte) ? byte : next++;
  byteOfChar[charOfByte[byte]] = byte;
}

/** The character that stands for `byte` (0..255) in a byte-level vocabulary. */
export function byteToChar(byte: number): string {
  return String.fromCharCode(charOfByte[byte]);
}

/** A byte array that grows as it is written to. */
export class ByteBuffer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  length = 0;

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    if (this.length + n <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + n, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /**
   * Appends the bytes that the characters of `text` from `start` to `end` spell in the alphabet, or
   * nothing and returns false.
   */
  pushSpelled(text: string, start = 0, end: number = text.length): boolean {
    this.reserve(end - start);
    let to = this.length;
    for (let i = start; i < end; i++) {
      const char = text.charCodeAt(i);
      const byte = char < ALPHABET_END ? byteOfChar[char] : -1;
      if (byte < 0) return false;
      this.bytes[to++] = byte;
    }
    this.length = to;
    return true;
  }

  /** Appends `bytes`. */
  push(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
}
