/** Converts a caller's values to template values. */
import { brandOf } from "../../brands.js";
import { fail } from "./failure.js";
import { Dict, type Value } from "./values.js";

const MAX_DEPTH = 100;
/** The most characters of a path in a message. */
const MAX_PATH = 80;

/**
 * `value` as Python's `json.loads` would return it. A Map is a dict that keeps the order of its
 * keys; undefined is None in a list and nothing in an object. Fails for anything else, naming
 * `path`.
 */
export function fromJavascript(value: unknown, path: string, depth = 0): Value {
  if (depth > MAX_DEPTH) {
    fail(`${shortened(path)}: expected at most ${MAX_DEPTH} levels of nesting`);
  }
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint") {
    return value;
  }
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) {
    // Holes count as undefined; `map` would skip them.
    return Array.from(value, (item, i) => fromJavascript(item, `${path}[${i}]`, depth + 1));
  }
  const kind = brandOf(value);
  if (kind !== "Object" && kind !== "Map") {
    const got = kind === "Function" ? "a function" : kind;
    fail(`${shortened(path)}: expected what JSON can hold, got ${got}`);
  }
  const isMap = kind === "Map";
  const entries = isMap
    ? (value as Map<unknown, unknown>).entries()
    : Object.entries(value as object);
  const dict = new Dict();
  for (const [key, item] of entries) {
    const name = isMap ? fromJavascript(key, `${path}: a key`, depth + 1) : key;
    const place = `${path}.${String(key)}`;
    if (item !== undefined) dict.set(name as Value, fromJavascript(item, place, depth + 1));
  }
  return dict;
}

/** The beginning of a path if it is too long for a message. */
function shortened(path: string): string {
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}...` : path;
}
