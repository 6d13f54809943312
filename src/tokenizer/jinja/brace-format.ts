/** Python's `str.format` and its format specifications. */
import { characterOf, lengthOf, slicePoints } from "./characters.js";
import { isNegative, isNumeric, type Numeric } from "./compare.js";
import { fail } from "./failure.js";
import { itemOf } from "./items.js";
import type { Limits } from "./limits.js";
import { fixed, general, grouped, scientific } from "./number-format.js";
import { floatText, repr, toText } from "./print.js";
import { type Arguments, typeOf, type Value } from "./values.js";

const FIELD = /^([^!:.[]*)((?:\.[^.[!:]+|\[[^\]]+\])*)(?:!([^:]*))?(?::(.*))?$/s;

/** `template.format(*positional, **named)`. */
export function formatBraces(template: string, args: Arguments, limits: Limits): string {
  let automatic = 0;
  let isManual = false;
  const expand = (text: string, level: number): string => {
    if (level > 2) fail("format: expected fields at most one in another");
    let out = "";
    for (let at = 0; at < text.length; ) {
      const character = text[at];
      if (character === text[at + 1] && (character === "{" || character === "}")) {
        out += character;
        at += 2;
      } else if (character === "{") {
        const end = endOfField(text, at);
        out += field(text.slice(at + 1, end), level);
        at = end + 1;
      } else if (character === "}") fail("format: expected { before }");
      else {
        out += character;
        at++;
      }
    }
    return out;
  };
  const field = (content: string, level: number): string => {
    const parts = FIELD.exec(content);
    if (parts === null) return fail(`format: expected a field, got {${content}}`);
    const [, name, path, conversion, specification = ""] = parts;
    const isNumber = /^\d+$/.test(name);
    if (name === "" ? isManual : isNumber && automatic > 0) {
      fail("format: expected numbers in all fields like {0}, or in none");
    }
    isManual ||= isNumber;
    const key = name === "" ? String(automatic++) : name;
    let value = name === "" || isNumber ? args.positional[Number(key)] : args.named.get(key);
    if (value === undefined) return fail(`format: expected a value for {${key}}`);
    for (const [step, index] of path.matchAll(/\.[^.[]+|\[([^\]]+)\]/g)) {
      if (index === undefined) return fail(`format: the attribute ${step} is not supported`);
      value = itemOf(value, /^\d+$/.test(index) ? BigInt(index) : index, limits);
      if (value === undefined) return fail(`format: expected an item ${step}`);
    }
    if (conversion !== undefined) {
      if (!["s", "r"].includes(conversion)) fail(`format: !${conversion} is not supported`);
      value = conversion === "s" ? toText(value, limits) : repr(value, limits);
    }
    return formatValue(value, expand(specification, level + 1), limits);
  };
  return limits.text(expand(template, 0));
}

function endOfField(text: string, start: number): number {
  let open = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "{") open++;
    else if (text[at] === "}" && --open === 0) return at;
  }
  return fail("format: expected } after {");
}

const SPECIFICATION =
  /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su;

/** `format(value, specification)`. */
function formatValue(value: Value, specification: string, limits: Limits): string {
  if (specification === "") return toText(value, limits);
  const parts = SPECIFICATION.exec(specification);
  if (parts === null) {
    return fail(`format: the specification ${JSON.stringify(specification)} is not supported`);
  }
  const [, fill, align, sign = "-", alternate, zero, width = "0", separator, precision, type] =
    parts;
  const digits = precision === undefined ? undefined : Number(precision);
  const size = Number(width);
  limits.reserve(size + (digits ?? 0), "characters");
  const isNumber = isNumeric(value) && type !== "s";
  let prefix = "";
  let body: string;
  if (isNumber) {
    body = numberBody(value, { type, digits, isAlternate: alternate !== undefined });
    prefix = isNegative(value) ? "-" : sign === "-" ? "" : sign;
    if (alternate !== undefined && type !== undefined && "xXob".includes(type))
      prefix += `0${type}`;
    if (separator !== undefined) body = grouped(body, separator, /[xXob]/.test(type ?? "") ? 4 : 3);
  } else {
    if (typeof value !== "string") {
      return fail(`format: ${typeOf(value)} takes no specification`);
    }
    if (type !== undefined && type !== "s") return fail(`format: expected a number for :${type}`);
    const text = toText(value, limits);
    body = digits === undefined ? text : slicePoints(text, 0, digits);
  }
  const missing = Math.max(0, size - lengthOf(prefix + body));
  const filler = (fill ?? (zero !== undefined && align === undefined ? "0" : " ")).repeat(missing);
  switch (align ?? (zero !== undefined && isNumber ? "=" : isNumber ? ">" : "<")) {
    case "<":
      return prefix + body + filler;
    case ">":
      return filler + prefix + body;
    case "=":
      return prefix + filler + body;
    default: {
      const half = Math.floor(missing / 2);
      const unit = fill ?? " ";
      return unit.repeat(half) + prefix + body + unit.repeat(missing - half);
    }
  }
}

interface NumberStyle {
  readonly type: string | undefined;
  readonly digits: number | undefined;
  readonly isAlternate: boolean;
}

/** A number without its sign. */
function numberBody(value: Numeric, { type, digits, isAlternate }: NumberStyle): string {
  const isInteger = typeof value !== "number";
  if (isInteger && (type === undefined || "bcdnoxX".includes(type))) {
    const whole = BigInt(value);
    if (type === "c") return characterOf(whole);
    const bases: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16 };
    const text = (whole < 0n ? -whole : whole).toString(bases[type ?? "d"] ?? 10);
    return type === "X" ? text.toUpperCase() : text;
  }
  const number = Math.abs(Number(value));
  if (type === undefined) {
    if (digits === undefined) return floatText(number);
    const text = general(number, digits);
    return /[.en]/.test(text) ? text : `${text}.0`;
  }
  if (type === "%") return `${fixed(number * 100, digits ?? 6)}%`;
  const lower = type.toLowerCase();
  if (!"efgn".includes(lower)) return fail(`format: expected an int for :${type}`);
  const text =
    lower === "e"
      ? scientific(number, digits ?? 6)
      : lower === "f"
        ? fixed(number, digits ?? 6)
        : general(number, digits ?? 6, isAlternate);
  return type === lower ? text : text.toUpperCase();
}
