/** Strings as Python sees them: sequences of code points, with Python's idea of whitespace. */

import { fail } from "./failure.js";

/** Python's whitespace inside a character class: that of `\s` in `re` and of `str.strip`. */
export const WHITESPACE: string =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const LEADING = new RegExp(`^[${WHITESPACE}]+`);
const BLANK = new RegExp(`[${WHITESPACE}]`);
const SURROGATE = /[\ud800-\udfff]/;

/** Whether UTF-16 units and code points may differ. */
const isWide = (text: string): boolean => SURROGATE.test(text);

export function charactersOf(text: string): string[] {
  return isWide(text) ? Array.from(text) : text.split("");
}

export function lengthOf(text: string): number {
  return isWide(text) ? Array.from(text).length : text.length;
}

/** The place in code points of a place in UTF-16 units; -1 stays -1. */
export function toPoints(text: string, units: number): number {
  return units < 0 ? units : lengthOf(text.slice(0, units));
}

/** The code points from `start` to `stop`, both within the text. */
export function slicePoints(text: string, start: number, stop: number): string {
  return isWide(text) ? Array.from(text).slice(start, stop).join("") : text.slice(start, stop);
}

/** `chr(point)`. */
export function characterOf(point: bigint): string {
  if (point < 0n || point > 0x10ffffn) fail(`expected a code point up to 0x10ffff, got ${point}`);
  return String.fromCodePoint(Number(point));
}

/** Whether the text is all whitespace; true for "". */
export function isBlank(text: string): boolean {
  return stripStart(text) === "";
}

/** `str.lstrip`: without leading whitespace, or without any of `characters`. */
export function stripStart(text: string, characters?: string): string {
  if (characters === undefined) return text.replace(LEADING, "");
  const set = new Set(charactersOf(characters));
  const all = charactersOf(text);
  let start = 0;
  while (start < all.length && set.has(all[start])) start++;
  return all.slice(start).join("");
}

/** `str.rstrip`. */
export function stripEnd(text: string, characters?: string): string {
  if (characters === undefined) {
    let end = text.length;
    while (end > 0 && BLANK.test(text[end - 1])) end--;
    return text.slice(0, end);
  }
  const set = new Set(charactersOf(characters));
  const all = charactersOf(text);
  let end = all.length;
  while (end > 0 && set.has(all[end - 1])) end--;
  return all.slice(0, end).join("");
}

/** Negative, zero or positive as `left` comes before `right` by code points. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  if (!isWide(left) && !isWide(right)) return left < right ? -1 : 1;
  const a = Array.from(left);
  const b = Array.from(right);
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = a[i].codePointAt(0)! - b[i].codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
