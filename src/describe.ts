/** How messages show values and lists, which may come from a file and be of any length. */
import { quote } from "./errors.js";

/** The most items of an array that a message shows. */
const MOST_ITEMS = 4;

/**
 * A value in a few words: a text, a number or a list of them as it is, of anything else its kind.
 * Control characters are escaped.
 */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (["number", "bigint", "boolean"].includes(typeof value)) return String(value);
  if (!isList(value)) return kindOf(value);
  const shown = Array.from(Array.prototype.slice.call(value, 0, MOST_ITEMS), (item: unknown) =>
    isList(item) ? "an array" : describeValue(item),
  );
  return `[${[...shown, ...(value.length > MOST_ITEMS ? ["..."] : [])].join(", ")}]`;
}

/** Whether it is an array or a typed array, of any realm. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

/** What kind of value it is, never what it holds: for what may be secret, or is no plain value. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return "an array";
  if (typeof (value as Partial<PromiseLike<unknown>>).then === "function") {
    return "a Promise; await it";
  }
  return `an object of class ${value.constructor?.name || "Object"}`;
}

/** The first `most` of the texts, and how many more there are. */
export function listOf(texts: readonly string[], most: number, separator = ", "): string {
  const rest = texts.length - most;
  const listed = texts.slice(0, most);
  return (rest > 0 ? [...listed, `and ${rest} more`] : listed).join(separator);
}
