/** Values as text: Python's `str` and `repr`. */
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import {
  Dict,
  DictView,
  isList,
  Namespace,
  Range,
  Tuple,
  typeOf,
  Undefined,
  type Value,
} from "./values.js";

/** `str(value)`. Fails for values that Python prints with an address, such as functions. */
export function toText(value: Value, limits: Limits): string {
  if (typeof value === "string") return value;
  return value instanceof Undefined ? "" : repr(value, limits);
}

/** `repr(value)`. */
export function repr(value: Value, limits: Limits): string {
  if (value === null) return "None";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return floatText(value);
  if (typeof value === "bigint") return String(value);
  limits.enter();
  const text = limits.text(containerText(value, limits));
  limits.leave();
  return text;
}

function containerText(value: Value, limits: Limits): string {
  const each = (items: readonly Value[]): string =>
    items.map((item) => repr(item, limits)).join(", ");
  if (isList(value)) return `[${each(value)}]`;
  if (value instanceof Tuple) return `(${each(value.items)}${value.items.length === 1 ? "," : ""})`;
  if (value instanceof Dict) return dictText(value.entries(), limits);
  if (value instanceof DictView) return `${value.kind}([${each(value.items)}])`;
  if (value instanceof Range) {
    const step = value.step === 1 ? "" : `, ${value.step}`;
    return `range(${value.start}, ${value.stop}${step})`;
  }
  if (value instanceof Namespace) return `<Namespace ${dictText([...value.fields], limits)}>`;
  if (value instanceof Undefined) return "Undefined";
  return fail(`expected a value with a text of its own to print, got a ${typeOf(value)}`);
}

function dictText(entries: readonly (readonly [Value, Value])[], limits: Limits): string {
  const items = entries.map(([key, item]) => `${repr(key, limits)}: ${repr(item, limits)}`);
  return `{${items.join(", ")}}`;
}

/** `repr` of a float: the fewest digits that read back the same, as in JavaScript. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const [digits, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  if (Object.is(value, -0)) return "-0.0";
  // JavaScript uses exponents below 1e-6, Python below 1e-4: only the plain form remains.
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\\": "\\\\",
};
/** Characters that `str.isprintable` rejects, and the backslash. */
const ESCAPED = /[\p{C}\p{Z}\\]/gu;

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(ESCAPED, (character) => {
    if (character === " ") return " ";
    const point = character.codePointAt(0)!;
    const hex = point.toString(16);
    if (point <= 0xff) return NAMED_ESCAPES[character] ?? `\\x${hex.padStart(2, "0")}`;
    return point <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}
