/** What a backslash begins in a regular expression: a set of characters, or one. */
import {
  type CodePoints,
  charactersOf,
  codePoints,
  complement,
  only,
  union,
} from "../characters/code-points.js";
import { propertyOf } from "./properties.js";
import type { PatternReader } from "./reader.js";

const DIGITS = codePoints([{ from: 0x30, to: 0x39 }]);
const WORD = union(
  DIGITS,
  codePoints([
    { from: 0x41, to: 0x5a },
    { from: 0x61, to: 0x7a },
  ]),
  charactersOf("_"),
);
const LINE_ENDS = charactersOf("\n\r\u2028\u2029");
const SPACES = union(
  LINE_ENDS,
  charactersOf("\t\v\f \u00a0\u1680\u202f\u205f\u3000\ufeff"),
  codePoints([{ from: 0x2000, to: 0x200a }]),
);

/** What `.` stands for. */
export const NOT_LINE_ENDS: CodePoints = complement(LINE_ENDS);

const CLASSES: Readonly<Record<string, CodePoints>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACES,
  S: complement(SPACES),
};

const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** One character, as its code, or the set that a class such as `\d` stands for. */
export type Escaped = number | CodePoints;

export const setOf = (escaped: Escaped): CodePoints =>
  typeof escaped === "number" ? only(escaped) : escaped;

/** Reads what follows a backslash, which has been passed; in a class, `\b` is a backspace. */
export function readEscape(reader: PatternReader, isInClass = false): Escaped {
  const start = reader.position - 1;
  const char = reader.take();
  if (isInClass && char === "b") return 8;
  if (Object.hasOwn(CLASSES, char)) return CLASSES[char];
  if (Object.hasOwn(CONTROLS, char)) return CONTROLS[char];
  switch (char) {
    case "p":
    case "P":
      return readProperty(reader, char === "P", start);
    case "0":
      if (/[0-9]/.test(reader.peek())) throw reader.without("octal escapes", start);
      return 0;
    case "c":
      if (!/[A-Za-z]/.test(reader.peek())) throw reader.invalid("a letter after \\c", start);
      return reader.take().charCodeAt(0) % 32;
    case "x":
      return readHex(reader, 2, start);
    case "u":
      return readUnicode(reader, start);
    case "k":
      throw reader.without("backreferences", start);
    case "b":
    case "B":
      throw reader.without("word boundaries", start);
    case "":
      throw reader.invalid("a character after the backslash", start);
  }
  if (/[1-9]/.test(char)) throw reader.without("backreferences", start);
  if (/[A-Za-z]/.test(char)) throw reader.without(`the escape \\${char}`, start);
  return char.codePointAt(0)!;
}

/** `\p{...}`, whose p has been passed. */
function readProperty(reader: PatternReader, isNegated: boolean, start: number): CodePoints {
  const isOpen = reader.takeText("{");
  const name = reader.takeWhile(/[\w=]/, 100);
  const set = isOpen && reader.takeText("}") ? propertyOf(name) : undefined;
  if (set === undefined) throw reader.invalid("a property of Unicode", start);
  return isNegated ? complement(set) : set;
}

function readHex(reader: PatternReader, length: number, start: number): number {
  const digits = reader.takeWhile(/[0-9A-Fa-f]/, length);
  if (digits.length < length) throw reader.invalid(`${length} hexadecimal digits`, start);
  return Number.parseInt(digits, 16);
}

/** `\uHHHH`, two of them that are a pair of surrogates, or `\u{...}`. */
function readUnicode(reader: PatternReader, start: number): number {
  if (reader.takeText("{")) {
    const digits = reader.takeWhile(/[0-9A-Fa-f]/);
    const code = Number.parseInt(digits, 16);
    if (reader.takeText("}") && code <= 0x10ffff) return code;
    throw reader.invalid("a code point", start);
  }
  const lead = readHex(reader, 4, start);
  if (lead < 0xd800 || lead > 0xdbff) return lead;
  const position = reader.position;
  if (reader.takeText("\\u") && reader.peek() !== "{") {
    const trail = Number.parseInt(reader.takeWhile(/[0-9A-Fa-f]/, 4).padEnd(4, "x"), 16);
    if (trail >= 0xdc00 && trail <= 0xdfff) {
      return 0x10000 + (lead - 0xd800) * 0x400 + (trail - 0xdc00);
    }
  }
  reader.rewind(position);
  return lead;
}
