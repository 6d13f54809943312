/** The methods of Python's `str`. */
import { type Bound, bind, optional, toInteger, toStr } from "./arguments.js";
import { formatBraces } from "./brace-format.js";
import { CASE_METHODS, KIND_METHODS } from "./casing.js";
import {
  charactersOf,
  lengthOf,
  slicePoints,
  stripEnd,
  stripStart,
  toPoints,
} from "./characters.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { partition, replace, split, splitFromEnd, splitLines } from "./splitting.js";
import { Callable, Dict, isTrue, iterate, Tuple, type Value } from "./values.js";

interface Method {
  readonly parameters: string;
  readonly run: (text: string, args: Bound, limits: Limits) => Value;
}

const method = (parameters: string, run: Method["run"]): Method => ({ parameters, run });

const str = (value: Value | undefined, name: string): string => toStr(name, value!);
const integer = (value: Value | undefined, fallback: number, name: string): number =>
  value === undefined ? fallback : toInteger(name, value);

/** `chars` of the strip methods. */
const chars = (value: Value | undefined): string | undefined =>
  optional(value, (given) => toStr("strip", given));

/** A part of the text, and its first code point; undefined if its length is negative. */
function window(
  text: string,
  start: Value | undefined,
  end: Value | undefined,
): { part: string; first: number } | undefined {
  if (start === undefined && end === undefined) return { part: text, first: 0 };
  const length = lengthOf(text);
  const place = (value: Value | undefined, fallback: number): number => {
    const at = optional(value, (given) => toInteger("index", given)) ?? fallback;
    return at < 0 ? Math.max(0, at + length) : at;
  };
  const first = place(start, 0);
  const last = Math.min(length, place(end, length));
  return first > last ? undefined : { part: slicePoints(text, first, last), first };
}

/** Where the argument is found, in code points, or -1. */
function find(text: string, [sub, start, end]: Bound, isLast: boolean): number {
  const within = window(text, start, end);
  if (within === undefined) return -1;
  const { part, first } = within;
  const wanted = str(sub, "find");
  const at = isLast ? part.lastIndexOf(wanted) : part.indexOf(wanted);
  return at < 0 ? -1 : first + toPoints(part, at);
}

function index(text: string, args: Bound, isLast: boolean): bigint {
  const at = find(text, args, isLast);
  return at < 0 ? fail("index: expected a str in the text") : BigInt(at);
}

function hasAffix(text: string, [affix, start, end]: Bound, isEnd: boolean): boolean {
  const part = window(text, start, end)?.part;
  const affixes = affix instanceof Tuple ? affix.items : [affix!];
  return affixes.some((item) => {
    const wanted = toStr(isEnd ? "endswith" : "startswith", item);
    return isEnd ? (part?.endsWith(wanted) ?? false) : (part?.startsWith(wanted) ?? false);
  });
}

function count(text: string, [sub, start, end]: Bound): bigint {
  const wanted = str(sub, "count");
  const part = window(text, start, end)?.part;
  if (part === undefined) return 0n;
  return BigInt(wanted === "" ? lengthOf(part) + 1 : part.split(wanted).length - 1);
}

/** The text padded to a width; `align` divides the padding between left and right. */
function pad(text: string, [width, fill]: Bound, align: string, limits: Limits): string {
  const size = toInteger(align, width!);
  const unit = fill === undefined ? " " : toStr(align, fill);
  if (lengthOf(unit) !== 1) fail(`${align}: expected one character to fill with`);
  const missing = size - lengthOf(text);
  if (missing <= 0) return text;
  limits.reserve(size, "characters");
  // If the sides cannot be equal, Python decides by whether the width is odd.
  const half = Math.floor(missing / 2) + ((missing % 2) & (size % 2));
  const left = align === "ljust" ? 0 : align === "rjust" ? missing : half;
  return unit.repeat(left) + text + unit.repeat(missing - left);
}

function join(separator: string, items: Value, limits: Limits): string {
  const texts = iterate(items).map((item) => toStr("join", item));
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0);
  limits.reserve(length, "characters");
  return texts.join(separator);
}

function expandTabs(text: string, size: number, limits: Limits): string {
  let column = 0;
  let out = "";
  for (const character of charactersOf(text)) {
    const missing = size > 0 ? size - (column % size) : 0;
    if (character === "\t") limits.reserve(missing, "characters");
    out += character === "\t" ? " ".repeat(missing) : character;
    if (character === "\n" || character === "\r") column = 0;
    else column += character === "\t" ? missing : 1;
  }
  return out;
}

function fillZeros(text: string, width: number, limits: Limits): string {
  const missing = Math.max(0, width - lengthOf(text));
  limits.reserve(missing, "characters");
  const [, sign, rest] = /^([-+]?)(.*)$/s.exec(text)!;
  return sign + "0".repeat(missing) + rest;
}

function list(items: readonly string[], limits: Limits): readonly string[] {
  limits.reserve(items.length, "elements");
  return items;
}

const separator = (value: Value | undefined): string | undefined =>
  optional(value, (given) => toStr("split", given));

const METHODS: ReadonlyMap<string, Method> = new Map([
  ["strip", method("chars", (text, [set]) => stripStart(stripEnd(text, chars(set)), chars(set)))],
  ["lstrip", method("chars", (text, [set]) => stripStart(text, chars(set)))],
  ["rstrip", method("chars", (text, [set]) => stripEnd(text, chars(set)))],
  [
    "split",
    method("sep maxsplit", (text, [sep, most], limits) =>
      list(split(text, separator(sep), integer(most, -1, "split")), limits),
    ),
  ],
  [
    "rsplit",
    method("sep maxsplit", (text, [sep, most], limits) =>
      list(splitFromEnd(text, separator(sep), integer(most, -1, "rsplit")), limits),
    ),
  ],
  [
    "splitlines",
    method("keepends", (text, [keeps], limits) =>
      list(splitLines(text, keeps !== undefined && isTrue(keeps)), limits),
    ),
  ],
  ["partition", method("sep!", (text, [sep]) => partitioned(text, sep, false))],
  ["rpartition", method("sep!", (text, [sep]) => partitioned(text, sep, true))],
  [
    "replace",
    method("old! new! count", (text, [old, by, most], limits) =>
      replaceText(
        text,
        str(old, "replace"),
        str(by, "replace"),
        integer(most, -1, "replace"),
        limits,
      ),
    ),
  ],
  [
    "removeprefix",
    method("prefix!", (text, [prefix]) => {
      const start = str(prefix, "removeprefix");
      return text.startsWith(start) ? text.slice(start.length) : text;
    }),
  ],
  [
    "removesuffix",
    method("suffix!", (text, [suffix]) => {
      const end = str(suffix, "removesuffix");
      return text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
    }),
  ],
  ["startswith", method("prefix! start end", (text, args) => hasAffix(text, args, false))],
  ["endswith", method("suffix! start end", (text, args) => hasAffix(text, args, true))],
  ["find", method("sub! start end", (text, args) => BigInt(find(text, args, false)))],
  ["rfind", method("sub! start end", (text, args) => BigInt(find(text, args, true)))],
  ["index", method("sub! start end", (text, args) => index(text, args, false))],
  ["rindex", method("sub! start end", (text, args) => index(text, args, true))],
  ["count", method("sub! start end", count)],
  ["join", method("iterable!", (text, [items], limits) => join(text, items!, limits))],
  ["center", method("width! fillchar", (text, args, limits) => pad(text, args, "center", limits))],
  ["ljust", method("width! fillchar", (text, args, limits) => pad(text, args, "ljust", limits))],
  ["rjust", method("width! fillchar", (text, args, limits) => pad(text, args, "rjust", limits))],
  [
    "zfill",
    method("width!", (text, [width], limits) =>
      fillZeros(text, integer(width, 0, "zfill"), limits),
    ),
  ],
  [
    "expandtabs",
    method("tabsize", (text, [size], limits) =>
      limits.text(expandTabs(text, integer(size, 8, "expandtabs"), limits)),
    ),
  ],
]);

const UNSUPPORTED = new Set(["encode", "maketrans", "translate"]);

function partitioned(text: string, sep: Value | undefined, isLast: boolean): Tuple {
  return new Tuple(partition(text, str(sep, "partition"), isLast));
}

/** `text.replace(old, by, most)`, its length known before it is made. */
export function replaceText(
  text: string,
  old: string,
  by: string,
  most: number,
  limits: Limits,
): string {
  const found = old === "" ? text.length + 1 : text.split(old).length - 1;
  const times = most < 0 ? found : Math.min(most, found);
  limits.reserve(text.length + times * by.length, "characters");
  return replace(text, old, by, most);
}

/** The method `name` of a text; undefined if Python has none. */
export function stringMethod(text: string, name: string, limits: Limits): Callable | undefined {
  const bound = (call: Callable["call"]): Callable =>
    new Callable(name, (args) => {
      limits.read(text);
      return call(args);
    });
  const found = METHODS.get(name);
  if (found !== undefined) {
    return bound((args) => found.run(text, bind(name, found.parameters, args), limits));
  }
  const plain = CASE_METHODS.get(name) ?? KIND_METHODS.get(name);
  if (plain !== undefined) {
    return bound((args) => {
      bind(name, "", args);
      return plain(text);
    });
  }
  if (name === "format") return bound((args) => formatBraces(text, args, limits));
  if (name === "format_map") return bound((args) => formatMap(text, args, limits));
  if (UNSUPPORTED.has(name)) fail(`the method ${name} of str is not supported`);
  return undefined;
}

function formatMap(text: string, args: Parameters<Callable["call"]>[0], limits: Limits): string {
  const [mapping] = bind("format_map", "mapping!", args);
  if (!(mapping instanceof Dict)) return fail("format_map: expected a mapping");
  const named = new Map(mapping.entries().map(([key, value]) => [String(key), value]));
  return formatBraces(text, { positional: [], named }, limits);
}
