/** The caller's headers, checked here since fetch's own messages would show their values. */
import { kindOf } from "../describe.js";
import { invalidArgument, type PlmError } from "../errors.js";

/** Names and values of header fields: a record, a Map, a list of pairs or a Headers. */
export type HeaderFields = Readonly<Record<string, string>> | Iterable<readonly string[]>;

/** Header fields by their names. */
export type Fields = Readonly<Record<string, string>>;

/** What callers may not set: the package sets it. */
const RESERVED = ["range", "if-range", "accept-encoding"];

/** Sections 5.6.2 and 5.5 of RFC 9110. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Fields with lower-case names and trimmed values, as fetch makes them; fields of one name are
 * joined with commas. Throws INVALID_ARGUMENT, without showing a value.
 */
export function readHeaders(fields: HeaderFields | undefined): Fields {
  if (fields === undefined) return {};
  if (typeof fields !== "object" || fields === null) {
    throw invalid("names and values", kindOf(fields));
  }
  const pairs: Iterable<unknown> = Symbol.iterator in fields ? fields : Object.entries(fields);
  const headers = new Map<string, string>();
  for (const pair of pairs) {
    const [name, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof name !== "string" || !NAME.test(name)) {
      throw invalid("names that HTTP allows", "another");
    }
    if (RESERVED.includes(name.toLowerCase())) {
      throw invalid(`none of ${RESERVED.join(", ")}`, name);
    }
    if (typeof value !== "string") throw invalid("a string", kindOf(value), name);
    const text = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (!VALUE.test(text)) {
      throw invalid("a value that HTTP allows", "one with other characters", name);
    }
    const key = name.toLowerCase();
    headers.set(key, headers.has(key) ? `${headers.get(key)}, ${text}` : text);
  }
  return Object.fromEntries(headers);
}

function invalid(expected: string, got: string, name?: string): PlmError {
  return invalidArgument("headers", expected, got, name === undefined ? {} : { at: `: ${name}` });
}
