/**
 * Patterns of ECMA-262 with the meaning of the flag `u`. What only patterns without the flag allow
 * is read where it has one meaning: `\-`, and `{`, `}` and `]` that stand for themselves.
 */
import {
  ANY,
  type CodePoints,
  complement,
  only,
  type Range,
  union,
} from "../characters/code-points.js";
import { type Escaped, NOT_LINE_ENDS, readEscape, setOf } from "./escapes.js";
import { PatternReader } from "./reader.js";
import type { RegexNode } from "./tree.js";

const MOST_CHARACTERS = 50_000;

/** The most groups within each other. */
const MOST_NESTING = 200;

const NAME = /^[$_\p{ID_Start}](?:[$\p{ID_Continue}]|\u200c|\u200d)*$/u;

/** `place` is what messages say of where the pattern stands, such as " (at #/items)". */
export function parseRegex(pattern: string, place = ""): RegexNode {
  const reader = new PatternReader(pattern.slice(0, 2 * MOST_CHARACTERS + 2), place);
  if (reader.length > MOST_CHARACTERS) {
    throw reader.without(`more than ${MOST_CHARACTERS} characters`, MOST_CHARACTERS);
  }
  return new Parser(reader).parse();
}

class Parser {
  readonly #reader: PatternReader;
  readonly #names = new Set<string>();
  #nesting = 0;

  constructor(reader: PatternReader) {
    this.#reader = reader;
  }

  parse(): RegexNode {
    const node = this.#choice();
    const reader = this.#reader;
    if (!reader.isAtEnd) throw reader.invalid("a group that ) closes");
    return node;
  }

  #choice(): RegexNode {
    const parts = [this.#sequence()];
    while (this.#reader.takeText("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0] : { kind: "choice", parts };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    while (!this.#reader.isAtEnd && !/[|)]/.test(this.#reader.peek())) parts.push(this.#term());
    return parts.length === 1 ? parts[0] : { kind: "sequence", parts };
  }

  #term(): RegexNode {
    const reader = this.#reader;
    const start = reader.position;
    if (reader.takeText("^")) return this.#assertion("at the start");
    if (reader.takeText("$")) return this.#assertion("at the end");
    if (this.#takeQuantifier() !== undefined) {
      throw reader.invalid("something to repeat before a quantifier", start);
    }
    return this.#repeated(this.#atom());
  }

  #assertion(when: "at the start" | "at the end"): RegexNode {
    this.#refuseQuantifier();
    return { kind: "assertion", when };
  }

  #refuseQuantifier(): void {
    const start = this.#reader.position;
    if (this.#takeQuantifier() === undefined) return;
    throw this.#reader.invalid("no quantifier here", start);
  }

  #atom(): RegexNode {
    const reader = this.#reader;
    if (reader.takeText("(")) return this.#group();
    if (reader.takeText("[")) return { kind: "set", set: this.#class() };
    if (reader.takeText(".")) return { kind: "set", set: NOT_LINE_ENDS };
    if (reader.takeText("\\")) return { kind: "set", set: setOf(readEscape(reader)) };
    return { kind: "set", set: only(reader.take().codePointAt(0)!) };
  }

  /** A group, whose parenthesis has been passed. */
  #group(): RegexNode {
    const reader = this.#reader;
    const start = reader.position - 1;
    if (this.#nesting === MOST_NESTING) {
      throw reader.without(`more than ${MOST_NESTING} groups within each other`, start);
    }
    if (reader.takeText("?")) this.#groupKind(start);
    this.#nesting++;
    const node = this.#choice();
    this.#nesting--;
    if (!reader.takeText(")")) throw reader.invalid("a ) for this group", start);
    return node;
  }

  /** What follows `(?`. */
  #groupKind(start: number): void {
    const reader = this.#reader;
    if (reader.takeText(":")) return;
    if (/[=!]/.test(reader.peek())) throw reader.without("lookahead", start);
    if (!reader.takeText("<")) throw reader.without("this kind of group", start);
    if (/[=!]/.test(reader.peek())) throw reader.without("lookbehind", start);
    const name = reader.takeWhile(/[^>]/, 100);
    if (!reader.takeText(">") || !NAME.test(name)) throw reader.invalid("a group's name", start);
    if (this.#names.has(name)) throw reader.without("two groups of one name", start);
    this.#names.add(name);
  }

  #repeated(body: RegexNode): RegexNode {
    const quantifier = this.#takeQuantifier();
    if (quantifier === undefined) return body;
    this.#refuseQuantifier();
    return { kind: "repeat", body, ...quantifier };
  }

  /** A quantifier, greedy or lazy, which is passed; undefined if none comes next. */
  #takeQuantifier(): { min: number; max: number } | undefined {
    const reader = this.#reader;
    const start = reader.position;
    const found = this.#takeCounts();
    if (found === undefined) {
      reader.rewind(start);
      return undefined;
    }
    reader.takeText("?");
    if (found.min > found.max) throw reader.invalid("counts in order", start);
    return found;
  }

  #takeCounts(): { min: number; max: number } | undefined {
    const reader = this.#reader;
    if (reader.takeText("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (reader.takeText("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (reader.takeText("?")) return { min: 0, max: 1 };
    if (!reader.takeText("{")) return undefined;
    const min = reader.takeWhile(/[0-9]/);
    const isRange = reader.takeText(",");
    const max = isRange ? reader.takeWhile(/[0-9]/) : min;
    if (min === "" || !reader.takeText("}")) return undefined;
    return { min: Number(min), max: max === "" ? Number.POSITIVE_INFINITY : Number(max) };
  }

  /** A class, whose bracket has been passed. */
  #class(): CodePoints {
    const reader = this.#reader;
    const start = reader.position - 1;
    const isNegated = reader.takeText("^");
    const sets: CodePoints[] = [];
    const ranges: Range[] = [];
    while (!reader.takeText("]")) {
      const position = reader.position;
      const from = this.#classAtom(start);
      // A dash before the end stands for itself, and one beside a class such as \d.
      const isRange = reader.peek() === "-" && reader.peek(1) !== "]" && reader.peek(1) !== "";
      if (!isRange) {
        if (typeof from === "number") ranges.push({ from, to: from });
        else sets.push(from);
        continue;
      }
      reader.take();
      const to = this.#classAtom(start);
      if (typeof from !== "number" || typeof to !== "number") {
        sets.push(setOf(from), setOf(to), only(0x2d));
      } else if (from > to) throw reader.invalid("a range in order", position);
      else ranges.push({ from, to });
    }
    const set = union(...sets, ranges);
    return isNegated ? complement(set) : set;
  }

  #classAtom(start: number): Escaped {
    const reader = this.#reader;
    if (reader.isAtEnd) throw reader.invalid("a ] for this class", start);
    if (reader.takeText("\\")) return readEscape(reader, true);
    return reader.take().codePointAt(0)!;
  }
}

/** Any character at all, as `[^]` has it. */
export const ANY_CHARACTER: RegexNode = { kind: "set", set: ANY };
