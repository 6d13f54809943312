/** Jinja's filters of text and numbers. */
import { type Bound, optional, toInteger, toStr } from "./arguments.js";
import { CASE_METHODS } from "./casing.js";
import {
  charactersOf,
  lengthOf,
  slicePoints,
  stripEnd,
  stripStart,
  WHITESPACE,
} from "./characters.js";
import { asNumber, isNumeric } from "./compare.js";
import { fail } from "./failure.js";
import { toJson } from "./json.js";
import { fixed } from "./number-format.js";
import { toText } from "./print.js";
import type { Filter, Runtime } from "./runtime.js";
import { splitLines } from "./splitting.js";
import { replaceText, stringMethod } from "./string-methods.js";
import { defined, isTrue, typeOf, type Value } from "./values.js";

type Run = Filter["run"];

/** A filter that takes its value as text. */
const ofText =
  (run: (text: string, args: Bound, runtime: Runtime) => Value): Run =>
  (runtime, value, args) =>
    run(toText(value, runtime.limits), args, runtime);

const chosen = (value: Value | undefined, fallback: boolean): boolean =>
  value === undefined ? fallback : isTrue(value);

const integer = (value: Value | undefined, fallback: number, name: string): number =>
  value === undefined ? fallback : toInteger(name, value);

function titleWords(text: string): string {
  const parts = text.split(new RegExp(`([-${WHITESPACE}({\\[<]+)`));
  return parts
    .map((part) => {
      const [first = "", ...rest] = charactersOf(part);
      return first.toUpperCase() + rest.join("").toLowerCase();
    })
    .join("");
}

function indent(text: string, [width, first, blank]: Bound, { limits }: Runtime): string {
  const unit = typeof width === "string" ? width : undefined;
  const size = unit === undefined ? integer(width, 4, "indent") : 0;
  limits.reserve(Math.max(0, size), "characters");
  const margin = unit ?? " ".repeat(Math.max(0, size));
  const [start = "", ...rest] = splitLines(`${text}\n`, false);
  const lines = rest.map((line) => (line !== "" || chosen(blank, false) ? margin + line : line));
  limits.reserve(text.length + lines.length * margin.length, "characters");
  return (chosen(first, false) ? margin : "") + [start, ...lines].join("\n");
}

function truncate(text: string, [length, kills, end, leeway]: Bound): string {
  const size = integer(length, 255, "truncate");
  const mark = end === undefined ? "..." : toStr("truncate", end);
  if (size < lengthOf(mark)) fail(`truncate: expected a length >= ${lengthOf(mark)}, got ${size}`);
  const slack = optional(leeway, (given) => toInteger("truncate", given)) ?? 5;
  if (lengthOf(text) <= size + slack) return text;
  const kept = slicePoints(text, 0, size - lengthOf(mark));
  if (chosen(kills, false)) return kept + mark;
  const space = kept.lastIndexOf(" ");
  return (space < 0 ? kept : kept.slice(0, space)) + mark;
}

function tojson(runtime: Runtime, value: Value, args: Bound): string {
  const [ensureAscii, indentation, separators, sortKeys] = args;
  const unit = optional(indentation, (given) => {
    if (typeof given === "string") return given;
    const size = Math.max(0, toInteger("tojson", given));
    runtime.limits.reserve(size, "characters");
    return " ".repeat(size);
  });
  const given = optional(separators, (pair) => {
    const texts = runtime.filter("list", pair, { positional: [], named: new Map() });
    return (texts as readonly Value[]).map((item) => toStr("tojson", item));
  });
  const [itemSeparator = unit === undefined ? ", " : ",", keySeparator = ": "] = given ?? [];
  return toJson(
    value,
    {
      indent: unit,
      itemSeparator,
      keySeparator,
      sortKeys: chosen(sortKeys, false),
      ensureAscii: chosen(ensureAscii, false),
    },
    runtime.limits,
  );
}

const INTEGER_TEXT = /^[-+]?\d+(?:_\d+)*$/;
const FLOAT_TEXT = /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?$/i;
const MAX_DIGITS = 4300;

/** `float(text)`; undefined if it is not a number. */
function parseFloatText(text: string): number | undefined {
  const plain = stripStart(stripEnd(text)).toLowerCase();
  const named = /^([-+]?)(inf|infinity|nan)$/.exec(plain);
  if (named !== null) {
    const size = named[2] === "nan" ? Number.NaN : Infinity;
    return named[1] === "-" ? -size : size;
  }
  return FLOAT_TEXT.test(plain) ? Number(plain.replaceAll("_", "")) : undefined;
}

const DIGITS: Readonly<Record<number, string>> = { 2: "01", 8: "0-7", 16: "\\da-f" };
const PREFIXES: Readonly<Record<number, string>> = { 2: "0b", 8: "0o", 16: "0x" };

function parseInteger(text: string, base: number): bigint | undefined {
  const plain = stripStart(stripEnd(text)).toLowerCase();
  if (plain.length > MAX_DIGITS) return undefined;
  if (base === 10) {
    if (INTEGER_TEXT.test(plain)) return BigInt(plain.replaceAll("_", "").replace("+", ""));
  } else {
    const digits = DIGITS[base] ?? fail(`int: expected a base of 2, 8, 10 or 16, got ${base}`);
    const pattern = new RegExp(`^([-+]?)(?:${PREFIXES[base]}_?)?([${digits}]+(?:_[${digits}]+)*)$`);
    const parts = pattern.exec(plain);
    if (parts !== null) {
      const size = BigInt(PREFIXES[base] + parts[2].replaceAll("_", ""));
      return parts[1] === "-" ? -size : size;
    }
  }
  const float = parseFloatText(plain);
  return float !== undefined && Number.isFinite(float) ? BigInt(Math.trunc(float)) : undefined;
}

function toInt(value: Value, [fallback = 0n, base]: Bound): Value {
  const given = defined(value);
  if (typeof given === "string") {
    const parsed = parseInteger(given, integer(base, 10, "int"));
    return parsed === undefined ? fallback : parsed;
  }
  if (!isNumeric(given)) return fallback;
  const number = asNumber(given);
  if (typeof number === "bigint") return number;
  return Number.isFinite(number) ? BigInt(Math.trunc(number)) : fallback;
}

function toFloat(value: Value, [fallback = 0]: Bound): Value {
  const given = defined(value);
  if (isNumeric(given)) return Number(given);
  const parsed = typeof given === "string" ? parseFloatText(given) : undefined;
  return parsed === undefined ? fallback : parsed;
}

function round(value: Value, [precision, method = "common"]: Bound): Value {
  const number = defined(value);
  if (!isNumeric(number)) return fail(`round: expected a number, got ${typeOf(number)}`);
  const digits = integer(precision, 0, "round");
  if (method === "common") {
    if (typeof number !== "number") {
      return digits >= 0 ? asNumber(number) : fail("round: expected a precision >= 0 for an int");
    }
    if (digits < 0)
      return Number(fixed(number * 10 ** digits, 0)) * 10 ** -digits * Math.sign(number);
    return Number.isFinite(number) ? Math.sign(number) * Number(fixed(number, digits)) : number;
  }
  if (method !== "ceil" && method !== "floor") {
    return fail('round: expected the method "common", "ceil" or "floor"');
  }
  const scale = 10 ** digits;
  const scaled = Number(number) * scale;
  return (method === "ceil" ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;",
};
const escapeMarkup: Run = ofText((text, _, { limits }) =>
  limits.text(text.replace(/[&<>'"]/g, (character) => ESCAPES[character])),
);

/** A filter that calls the str method of the same name. */
const byMethod = (name: string): Run =>
  ofText((text, args, { limits }) => {
    const positional = args.filter((arg) => arg !== undefined);
    return stringMethod(text, name, limits)!.call({ positional, named: new Map() });
  });

const byCase = (name: string): Run => ofText((text) => CASE_METHODS.get(name)!(text));

const filter = (parameters: string, run: Run): Filter => ({ parameters, run });

export const TEXT_FILTERS: ReadonlyMap<string, Filter> = new Map([
  ["abs", filter("", (_, value) => absolute(value))],
  ["capitalize", filter("", byCase("capitalize"))],
  ["center", filter("width", (rt, value, [width = 80n]) => byMethod("center")(rt, value, [width]))],
  ["e", filter("", escapeMarkup)],
  ["escape", filter("", escapeMarkup)],
  ["float", filter("default", (_, value, args) => toFloat(value, args))],
  ["forceescape", filter("", escapeMarkup)],
  [
    "indent",
    filter("width first blank", (rt, value, args) => indent(toStr("indent", value), args, rt)),
  ],
  ["int", filter("default base", (_, value, args) => toInt(value, args))],
  ["lower", filter("", byCase("lower"))],
  [
    "replace",
    filter(
      "old! new! count",
      ofText((text, [old, by, count], { limits }) => {
        const most = optional(count, (given) => toInteger("replace", given)) ?? -1;
        return replaceText(text, toText(old!, limits), toText(by!, limits), most, limits);
      }),
    ),
  ],
  ["round", filter("precision method", (_, value, args) => round(value, args))],
  [
    "safe",
    filter(
      "",
      ofText((text) => text),
    ),
  ],
  [
    "string",
    filter(
      "",
      ofText((text) => text),
    ),
  ],
  ["title", filter("", ofText(titleWords))],
  ["tojson", filter("ensure_ascii indent separators sort_keys", tojson)],
  ["trim", filter("chars", byMethod("strip"))],
  ["truncate", filter("length killwords end leeway", ofText(truncate))],
  ["upper", filter("", byCase("upper"))],
  [
    "urlencode",
    filter(
      "",
      ofText((text) => encodeUrl(text)),
    ),
  ],
  [
    "wordcount",
    filter(
      "",
      ofText((text) => BigInt(text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
    ),
  ],
]);

function encodeUrl(text: string): string {
  const encoded = encodeURIComponent(text.replace(/\p{Cs}/gu, "\ufffd"));
  return encoded.replaceAll("%2F", "/").replace(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

function absolute(value: Value): Value {
  const number = defined(value);
  if (!isNumeric(number)) return fail(`abs: expected a number, got ${typeOf(number)}`);
  const plain = asNumber(number);
  return typeof plain === "number" ? Math.abs(plain) : plain < 0n ? -plain : plain;
}
