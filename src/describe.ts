/** How messages show values and lists, which may come from a file and have any length. */
import { quote } from "./errors.js";

/** The most numbers of an array that a message shows. */
const MOST_NUMBERS = 4;

/** A value in a few words; control characters are escaped. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (ArrayBuffer.isView(value) && "length" in value) {
    const numbers = value as unknown as ArrayLike<number | bigint>;
    const shown = Array.prototype.slice.call(numbers, 0, MOST_NUMBERS).join(", ");
    return `[${shown}${numbers.length > MOST_NUMBERS ? ", ..." : ""}]`;
  }
  return Array.isArray(value) ? "an array" : "an object";
}

/** The first `most` texts, and how many more there are. */
export function listOf(texts: readonly string[], most: number, separator = ", "): string {
  const rest = texts.length - most;
  const listed = texts.slice(0, most);
  return (rest > 0 ? [...listed, `and ${rest} more`] : listed).join(separator);
}
