/** Python's `"..." % values`: formatting as in printf. */

import { characterOf, lengthOf, slicePoints } from "./characters.js";
import { isNegative, isNumeric, type Numeric } from "./compare.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { fixed, general, scientific } from "./number-format.js";
import { repr, toText } from "./print.js";
import { Dict, isList, Tuple, typeOf, Undefined, type Value } from "./values.js";

const DIRECTIVE = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?(.?)/gs;
const HAS_PRECISION = /\.(\*|\d+)?[hlL]?.$/s;

/** `template % values`. Fails for too few or too many values and for values of another type. */
export function formatPercent(template: string, values: Value, limits: Limits): string {
  const items = values instanceof Tuple ? values.items : [values];
  let used = 0;
  let usesNames = false;
  const next = (): Value => {
    if (used >= items.length) fail("%: expected more values for the format");
    return items[used++];
  };
  const text = template.replace(
    DIRECTIVE,
    (directive, key, flags: string, width, precision, type) => {
      if (type === "%") return "%";
      const wanted = (text: string | undefined): number =>
        text === "*" ? Number(next()) : Number(text ?? 0);
      let size = wanted(width);
      const isLeft = flags.includes("-") || size < 0;
      size = Math.abs(size);
      const digits = HAS_PRECISION.test(directive) ? wanted(precision) : undefined;
      limits.reserve(size + (digits ?? 0), "characters");
      if (key !== undefined) usesNames = true;
      const value = key === undefined ? next() : lookUp(values, key);
      const written = write(type, value, { flags, digits, limits });
      const missing = size - lengthOf(written);
      if (missing <= 0) return written;
      if (isLeft) return written + " ".repeat(missing);
      const isNumber = !"srac".includes(type);
      if (!(flags.includes("0") && isNumber)) return " ".repeat(missing) + written;
      const [, sign, rest] = /^([-+ ]?(?:0[xo])?)(.*)$/is.exec(written)!;
      return sign + "0".repeat(missing) + rest;
    },
  );
  const isMapping = isList(values) || values instanceof Dict || values instanceof Undefined;
  if (used < items.length && !usesNames && !isMapping) {
    fail("%: expected fewer values, not all are used by the format");
  }
  return limits.text(text);
}

function lookUp(values: Value, key: string): Value {
  if (!(values instanceof Dict)) return fail(`%: expected a mapping, got ${typeOf(values)}`);
  return values.get(key) ?? fail(`%: expected the key ${JSON.stringify(key)}`);
}

interface Directive {
  readonly flags: string;
  readonly digits: number | undefined;
  readonly limits: Limits;
}

function write(type: string, value: Value, { flags, digits, limits }: Directive): string {
  if ("sra".includes(type) && type !== "") {
    const text = type === "s" ? toText(value, limits) : repr(value, limits);
    return digits === undefined ? text : slicePoints(text, 0, digits);
  }
  if (type === "c") {
    if (typeof value === "bigint") return characterOf(value);
    if (typeof value === "string" && lengthOf(value) === 1) return value;
    return fail(`%c: expected an int or one character, got ${typeOf(value)}`);
  }
  if (type === "" || !"diuxXoeEfFgG".includes(type)) {
    fail(`%: the format character ${JSON.stringify(type)} is not supported`);
  }
  if (!isNumeric(value)) fail(`%${type}: expected a number, got ${typeOf(value)}`);
  const sign = isNegative(value) ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return sign + writeNumber(type, value, digits, flags.includes("#"));
}

function writeNumber(
  type: string,
  value: Numeric,
  digits: number | undefined,
  isAlternate: boolean,
): string {
  if ("diuxXo".includes(type)) {
    const isWhole = typeof value === "number" && "diu".includes(type);
    if (typeof value === "number" && !(isWhole && Number.isFinite(value))) {
      fail(`%${type}: expected an int, got ${value}`);
    }
    const whole = BigInt(isWhole ? Math.trunc(value as number) : value);
    const base = type === "o" ? 8 : "xX".includes(type) ? 16 : 10;
    const text = (whole < 0n ? -whole : whole).toString(base).padStart(digits ?? 0, "0");
    const prefix = isAlternate && base !== 10 ? `0${type.toLowerCase()}` : "";
    return type === "X" ? (prefix + text).toUpperCase() : prefix + text;
  }
  const number = Number(value);
  const precision = digits ?? 6;
  const lower = type.toLowerCase();
  const text =
    lower === "f"
      ? fixed(number, precision)
      : lower === "e"
        ? scientific(number, precision)
        : general(number, precision, isAlternate);
  return type === lower ? text : text.toUpperCase();
}
