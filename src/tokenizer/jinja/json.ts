/** Values as JSON: the `tojson` that transformers gives its templates, which is `json.dumps`. */
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { floatText } from "./print.js";
import { Dict, isList, Tuple, typeOf, type Value } from "./values.js";

export interface JsonStyle {
  /** The indentation of a level; without it, all is on one line. */
  readonly indent: string | undefined;
  readonly itemSeparator: string;
  readonly keySeparator: string;
  readonly sortKeys: boolean;
  readonly ensureAscii: boolean;
}

/** `json.dumps(value)`. Fails for values without a JSON form, such as Undefined. */
export function toJson(value: Value, style: JsonStyle, limits: Limits): string {
  const write = (item: Value, level: number): string => {
    if (item === null) return "null";
    if (typeof item === "string") return quoted(item, style.ensureAscii);
    if (typeof item === "number") return numberText(item);
    if (typeof item === "boolean" || typeof item === "bigint") return String(item);
    limits.enter();
    const isDict = item instanceof Dict;
    const parts = isDict
      ? entriesOf(item, style).map(
          ([key, inner]) =>
            quoted(key, style.ensureAscii) + style.keySeparator + write(inner, level + 1),
        )
      : elementsOf(item).map((inner) => write(inner, level + 1));
    const text = limits.text(enclose(parts, isDict ? "{}" : "[]", level, style));
    limits.leave();
    return text;
  };
  return write(value, 0);
}

function elementsOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  if (value instanceof Tuple) return value.items;
  return fail(`tojson: expected what JSON can hold, got ${typeOf(value)}`);
}

function entriesOf(dict: Dict, { sortKeys }: JsonStyle): [string, Value][] {
  const entries = dict.entries().map(([key, value]): [string, Value] => [keyText(key), value]);
  return sortKeys ? entries.sort(([a], [b]) => (a < b ? -1 : 1)) : entries;
}

function keyText(key: Value): string {
  if (typeof key === "string") return key;
  if (key === null) return "null";
  if (typeof key === "number") return numberText(key);
  if (typeof key === "boolean" || typeof key === "bigint") return String(key);
  return fail(`tojson: expected a key that JSON can hold, got ${typeOf(key)}`);
}

function enclose(
  parts: readonly string[],
  [open, close]: string,
  level: number,
  { indent, itemSeparator }: JsonStyle,
): string {
  if (parts.length === 0) return open + close;
  if (indent === undefined) return open + parts.join(itemSeparator) + close;
  const newline = `\n${indent.repeat(level + 1)}`;
  const body = parts.join(itemSeparator + newline);
  return `${open}${newline}${body}\n${indent.repeat(level)}${close}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? floatText(value) : value < 0 ? "-Infinity" : "Infinity";
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};

const NOT_ASCII = /["\\]|[^ -~]/g;
const CONTROL = /["\\]|(?![\x7f-\x9f])\p{Cc}/gu;

function quoted(text: string, ensureAscii: boolean): string {
  const inside = text.replace(ensureAscii ? NOT_ASCII : CONTROL, (unit) => {
    return SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${inside}"`;
}
