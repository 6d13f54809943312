/**
 * GBNF, llama.cpp's notation of grammars: rules `name ::= ...` of literals, sets of characters,
 * other rules, groups, alternatives and repetitions. The text follows the rule `root`.
 */

import { invalidArgument } from "../../errors.js";
import { bytesOf, choice, NO_WAY } from "../build.js";
import {
  ANY,
  type CodePoints,
  codePoints,
  complement,
  type Range,
} from "../characters/code-points.js";
import { edgesTo } from "../characters/dfa.js";
import { toUtf8 } from "../characters/utf8.js";
import type { Expression, Grammar } from "../expression.js";
import { namesIn } from "../prune.js";
import { GbnfReader } from "./reader.js";

/** Groups within groups. */
const MOST_NESTED = 200;

/**
 * The grammar of a text. A rule ends with its line, except within parentheses and where the next
 * line begins with `|`. Throws INVALID_ARGUMENT, naming the line, for anything else than GBNF; that
 * is so for llama.cpp's tokens (`<think>`), too.
 */
export function parseGbnf(text: string): Grammar {
  const reader = new GbnfReader(text);
  const rules = new Map<string, Expression>();
  for (reader.skipSpace(true); !reader.isAtEnd; reader.skipSpace(true)) {
    const name = reader.readName("the name of a rule");
    if (rules.has(name)) throw reader.unexpected(`one rule ${name}`, "a second");
    reader.skipSpace(false);
    reader.expect("::=");
    reader.skipSpace(true);
    rules.set(name, readAlternatives(reader, 0));
    if (!reader.isAtEnd && !reader.isAtLineEnd) throw reader.unexpected("the end of the rule");
  }
  for (const rule of ["root", ...Array.from(rules.values(), (each) => [...namesIn(each)]).flat()]) {
    if (!rules.has(rule)) {
      throw invalidArgument("responseFormat", `a rule ${rule}`, "none", { at: ".grammar" });
    }
  }
  return { root: "root", rules };
}

function readAlternatives(reader: GbnfReader, depth: number): Expression {
  const parts = [readSequence(reader, depth)];
  while (reader.skip("|")) {
    reader.skipSpace(true);
    parts.push(readSequence(reader, depth));
  }
  return choice(parts);
}

function readSequence(reader: GbnfReader, depth: number): Expression {
  const parts: Expression[] = [];
  for (;;) {
    const item = readItem(reader, depth);
    if (item === undefined) break;
    reader.skipSpace(depth > 0);
    parts.push(readRepetitions(reader, item, depth));
  }
  if (depth === 0) reader.skipToAlternative();
  return parts.length === 1 ? parts[0] : { kind: "sequence", parts };
}

/** A literal, a set, a rule's name or a group; undefined if there is none. */
function readItem(reader: GbnfReader, depth: number): Expression | undefined {
  const { char } = reader;
  if (char === '"') return readLiteral(reader);
  if (char === "[" || char === ".") return ofSet(readSet(reader));
  if (char === "(") {
    if (depth === MOST_NESTED)
      throw reader.unexpected(`at most ${MOST_NESTED} nested groups`, "more");
    reader.expect("(");
    reader.skipSpace(true);
    const group = readAlternatives(reader, depth + 1);
    reader.expect(")");
    return group;
  }
  return reader.isAtName ? { kind: "rule", name: reader.readName("a rule") } : undefined;
}

/** Any of `*`, `+`, `?`, `{n}`, `{n,}` and `{n,m}`, one after the other, applied to an item. */
function readRepetitions(reader: GbnfReader, item: Expression, depth: number): Expression {
  let body = item;
  for (;;) {
    let min = 0;
    let max = Infinity;
    if (reader.skip("+")) min = 1;
    else if (reader.skip("?")) max = 1;
    else if (reader.skip("{")) [min, max] = readBounds(reader);
    else if (!reader.skip("*")) return body;
    body = { kind: "repeat", body, min, max };
    reader.skipSpace(depth > 0);
  }
}

function readBounds(reader: GbnfReader): [min: number, max: number] {
  reader.skipSpace(false);
  const min = reader.readInteger();
  let max = min;
  reader.skipSpace(false);
  if (reader.skip(",")) {
    reader.skipSpace(false);
    max = reader.char === "}" ? Infinity : reader.readInteger();
    reader.skipSpace(false);
  }
  reader.expect("}");
  if (max < min)
    throw reader.unexpected("a repetition of at least its minimum", `${min} to ${max}`);
  return [min, max];
}

function readLiteral(reader: GbnfReader): Expression {
  reader.expect('"');
  const codes: number[] = [];
  while (reader.char !== '"') codes.push(reader.readCharacter('the end of a literal, `"`'));
  reader.expect('"');
  const text = codes.map((code) => String.fromCodePoint(code)).join("");
  return bytesOf(text);
}

function readSet(reader: GbnfReader): CodePoints {
  if (reader.skip(".")) return ANY;
  reader.expect("[");
  const isNegated = reader.skip("^");
  const ranges: Range[] = [];
  while (reader.char !== "]") {
    const from = reader.readCharacter("the end of a set, `]`");
    let to = from;
    if (reader.char === "-" && reader.nextChar !== "]") {
      reader.expect("-");
      to = reader.readCharacter("the end of a range");
    }
    ranges.push({ from, to });
  }
  reader.expect("]");
  const set = codePoints(ranges);
  return isNegated ? complement(set) : set;
}

/** One character of a set. */
function ofSet(set: CodePoints): Expression {
  if (set.length === 0) return NO_WAY;
  return { kind: "dfa", dfa: toUtf8({ edges: [edgesTo(set, 1), []], finals: [false, true] }) };
}
