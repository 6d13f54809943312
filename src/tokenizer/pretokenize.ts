/**
 * Splits UTF-8 text into the words that byte-pair encoding takes, in linear time, by the Qwen2
 * pattern:
 *
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}
 *   | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 */
import { asciiClasses, classOf, LETTER, NEWLINE, NUMBER, OTHER, SPACE } from "./classes.js";

/** The code point of two to four bytes from `i`; `bytes` is well-formed. */
function decodeLong(bytes: Uint8Array, i: number): number {
  const lead = bytes[i];
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | (bytes[i + 1] & 0x3f);
  const tail = ((bytes[i + 1] & 0x3f) << 6) | (bytes[i + 2] & 0x3f);
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | tail;
  return ((lead & 0x07) << 18) | (tail << 6) | (bytes[i + 3] & 0x3f);
}

/** Class of the code point at `i`. */
function classAt(bytes: Uint8Array, i: number): number {
  return bytes[i] < 0x80 ? asciiClasses[bytes[i]] : classOf(decodeLong(bytes, i));
}

/** Length in bytes of the code point that `lead` begins. */
function sizeOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** End of the run of code points of class `kind` from `i`. */
function skip(bytes: Uint8Array, i: number, end: number, kind: number): number {
  while (i < end && classAt(bytes, i) === kind) i += sizeOf(bytes[i]);
  return i;
}

/** Bytes of a contraction after its apostrophe, 0 for none; `i` is past the apostrophe. */
function contractionBytes(bytes: Uint8Array, i: number, end: number): number {
  if (i >= end) return 0;
  // U+017F, the long s, folds to s; no other character outside ASCII folds to these letters.
  if (bytes[i] === 0xc5 && bytes[i + 1] === 0xbf) return 2;
  const letter = String.fromCharCode(bytes[i] | 0x20);
  if (letter === "s" || letter === "t" || letter === "m" || letter === "d") return 1;
  if (i + 1 >= end) return 0;
  const next = String.fromCharCode(bytes[i + 1] | 0x20);
  if (letter === "l") return next === "l" ? 2 : 0;
  return next === "e" && (letter === "r" || letter === "v") ? 2 : 0;
}

/** End of the word of white space that begins at `start`. */
function endOfSpaces(bytes: Uint8Array, start: number, end: number): number {
  let afterNewline = -1;
  let last = start;
  let i = start;
  while (i < end) {
    const kind = classAt(bytes, i);
    if (kind !== SPACE && kind !== NEWLINE) break;
    last = i;
    i += sizeOf(bytes[i]);
    if (kind === NEWLINE) afterNewline = i;
  }
  if (afterNewline >= 0) return afterNewline;
  // The last space before a word belongs to that word.
  return i === end || last === start ? i : last;
}

/**
 * End of the word that begins at `start` (`start < end`). `bytes` up to `end` is well-formed UTF-8
 * and `start` is where a word begins; words follow each other without gaps.
 */
export function endOfWord(bytes: Uint8Array, start: number, end: number): number {
  const first = classAt(bytes, start);
  const second = start + sizeOf(bytes[start]);
  if (first === LETTER) return skip(bytes, second, end, LETTER);
  if (first === NUMBER) return second;
  if (bytes[start] === 0x27) {
    const contraction = contractionBytes(bytes, second, end);
    if (contraction > 0) return second + contraction;
  }
  if (first === NEWLINE) return endOfSpaces(bytes, start, end);
  const next = second < end ? classAt(bytes, second) : 0;
  if (next === LETTER) return skip(bytes, second, end, LETTER);
  if (first === OTHER || (bytes[start] === 0x20 && next === OTHER)) {
    return skip(bytes, skip(bytes, second, end, OTHER), end, NEWLINE);
  }
  return endOfSpaces(bytes, start, end);
}
