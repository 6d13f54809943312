/** How Python splits strings. */
import { charactersOf, stripEnd, stripStart, WHITESPACE } from "./characters.js";
import { fail } from "./failure.js";

const SPACES = new RegExp(`[${WHITESPACE}]+`);
const SPACE = new RegExp(`[${WHITESPACE}]`);

/** `text.split(separator, most)`; at whitespace without a separator. No limit if `most` < 0. */
export function split(text: string, separator: string | undefined, most: number): string[] {
  const limit = most < 0 ? Infinity : most;
  if (separator !== undefined) return splitBy(text, separator, limit);
  const parts: string[] = [];
  let rest = stripStart(text);
  while (rest !== "" && parts.length < limit) {
    const space = SPACES.exec(rest);
    if (space === null) break;
    parts.push(rest.slice(0, space.index));
    rest = rest.slice(space.index + space[0].length);
  }
  if (rest !== "") parts.push(rest);
  return parts;
}

function splitBy(text: string, separator: string, limit: number): string[] {
  checkSeparator(separator);
  const parts = text.split(separator);
  if (parts.length <= limit + 1) return parts;
  return [...parts.slice(0, limit), parts.slice(limit).join(separator)];
}

/** `text.rsplit(separator, most)`. */
export function splitFromEnd(text: string, separator: string | undefined, most: number): string[] {
  const limit = most < 0 ? Infinity : most;
  if (separator !== undefined) {
    checkSeparator(separator);
    return limit === Infinity ? splitBy(text, separator, limit) : lastParts(text, separator, limit);
  }
  if (limit === Infinity) return split(text, undefined, -1);
  const parts: string[] = [];
  let rest = stripEnd(text);
  while (rest !== "" && parts.length < limit) {
    const start = startOfLastWord(rest);
    parts.unshift(rest.slice(start));
    rest = stripEnd(rest.slice(0, start));
  }
  if (rest !== "") parts.unshift(rest);
  return parts;
}

function startOfLastWord(text: string): number {
  let start = text.length;
  while (start > 0 && !SPACE.test(text[start - 1])) start--;
  return start;
}

function lastParts(text: string, separator: string, limit: number): string[] {
  const parts: string[] = [];
  let end = text.length;
  while (parts.length < limit) {
    const at = end < separator.length ? -1 : text.lastIndexOf(separator, end - separator.length);
    if (at < 0) break;
    parts.unshift(text.slice(at + separator.length, end));
    end = at;
  }
  return [text.slice(0, end), ...parts];
}

/** `text.partition(separator)`, or `rpartition` if `isLast`. */
export function partition(text: string, separator: string, isLast: boolean): string[] {
  checkSeparator(separator);
  const at = isLast ? text.lastIndexOf(separator) : text.indexOf(separator);
  if (at < 0) return isLast ? ["", "", text] : [text, "", ""];
  return [text.slice(0, at), separator, text.slice(at + separator.length)];
}

function checkSeparator(separator: string): void {
  if (separator === "") fail("split: expected a separator that is not empty");
}

const LINE_ENDS = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029";
const LINE = new RegExp(`[^${LINE_ENDS}]*(?:\\r\\n|[${LINE_ENDS}]|$)`, "g");
const LINE_END = new RegExp(`(?:\\r\\n|[${LINE_ENDS}])$`);

/** `text.splitlines(keepsEnds)`. */
export function splitLines(text: string, keepsEnds: boolean): string[] {
  const lines = (text.match(LINE) ?? []).filter((line) => line !== "");
  return keepsEnds ? lines : lines.map((line) => line.replace(LINE_END, ""));
}

/** `text.replace(old, replacement, count)`; a negative count replaces all. */
export function replace(text: string, old: string, replacement: string, count: number): string {
  if (old !== "") return splitBy(text, old, count < 0 ? Infinity : count).join(replacement);
  const characters = charactersOf(text);
  const places = characters.length + 1;
  const replaced = count < 0 ? places : Math.min(count, places);
  const out = characters.map((character, i) => (i < replaced ? replacement : "") + character);
  return out.join("") + (replaced === places ? replacement : "");
}
