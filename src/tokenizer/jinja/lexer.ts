/**
 * A template as tokens, by the rules of `jinja2.lexer` with `trim_blocks` and `lstrip_blocks`, and
 * without the newline at the template's end. Line ends of any kind are "\n".
 */
import { isBlank, stripEnd, WHITESPACE } from "./characters.js";
import { fail } from "./failure.js";
import { unescapeLiteral } from "./unescape.js";

export type TokenType =
  | ("data" | "name" | "string" | "integer" | "float" | "operator" | "end of the template")
  | ("block_begin" | "block_end" | "variable_begin" | "variable_end");

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

const S = `[${WHITESPACE}]*`;
const RAW_BEGIN = new RegExp(`\\{%([-+]?)${S}raw${S}(?:-%\\}${S}|%\\})`, "y");
const RAW_END = new RegExp(`\\{%([-+]?)${S}endraw${S}(?:\\+%\\}|-%\\}${S}|%\\}\\n?)`, "g");
const COMMENT_END = new RegExp(`\\+#\\}|-#\\}${S}|#\\}\\n?`, "g");
const BLOCK_END = new RegExp(`\\+%\\}|-%\\}${S}|%\\}\\n?`, "y");
const VARIABLE_END = new RegExp(`-\\}\\}${S}|\\}\\}`, "y");
const SPACE = new RegExp(`[${WHITESPACE}]+`, "y");
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const STRING = /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y;

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Throws TemplateFailure where no token matches. */
export function tokenize(template: string): Token[] {
  return new Lexer(template.replace(/\r\n?/g, "\n").replace(/\n$/, "")).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** The position up to which newlines are counted. */
  #counted = 0;
  /** Whether the last read token ends a line; true at the start. */
  #isLineStart = true;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    const tag = /\{[%{#]/g;
    for (;;) {
      tag.lastIndex = this.#at;
      const start = tag.exec(this.#source)?.index;
      if (start === undefined) break;
      this.#readTag(start);
    }
    this.#push("data", this.#source.slice(this.#at), this.#at);
    this.#push("end of the template", "", this.#source.length);
    return this.#tokens;
  }

  #readTag(start: number): void {
    const begin = this.#source.slice(start, start + 2);
    const raw = this.#match(RAW_BEGIN, start);
    const next = this.#source[start + 2];
    const sign = raw?.[1] ?? (next === "-" || next === "+" ? next : "");
    this.#pushData(start, sign, begin !== "{{");
    this.#at = start + (raw?.[0].length ?? 2 + sign.length);
    if (raw !== undefined) this.#readRaw(raw[0]);
    else if (begin === "{#") this.#skipComment(start);
    else if (begin === "{%") this.#readInside("block", BLOCK_END, start);
    else this.#readInside("variable", VARIABLE_END, start);
  }

  /** The text up to a tag, without the whitespace that the tag strips. */
  #pushData(end: number, sign: string, mayStrip: boolean): void {
    let text = this.#source.slice(this.#at, end);
    if (sign === "-") text = stripEnd(text);
    else if (sign === "" && mayStrip) {
      const line = text.lastIndexOf("\n") + 1;
      const isStart = line > 0 || this.#isLineStart;
      if (isStart && isBlank(text.slice(line))) text = text.slice(0, line);
    }
    this.#push("data", text, this.#at);
  }

  #readRaw(begin: string): void {
    this.#isLineStart = begin.endsWith("\n");
    RAW_END.lastIndex = this.#at;
    const end = RAW_END.exec(this.#source);
    if (end === null) fail("expected {% endraw %} after {% raw %}", this.#lineAt(this.#at));
    this.#pushData(end.index, end[1], true);
    this.#passTo(end.index + end[0].length);
  }

  #skipComment(start: number): void {
    COMMENT_END.lastIndex = this.#at;
    const end = COMMENT_END.exec(this.#source);
    if (end === null) fail("expected #} after {#", this.#lineAt(start));
    this.#passTo(end.index + end[0].length);
  }

  #readInside(kind: "block" | "variable", endPattern: RegExp, start: number): void {
    this.#push(`${kind}_begin`, "", start);
    const line = this.#lineAt(start);
    const open: string[] = [];
    for (;;) {
      const end = open.length === 0 ? this.#match(endPattern, this.#at) : undefined;
      if (end !== undefined) {
        this.#push(`${kind}_end`, "", this.#at);
        this.#passTo(this.#at + end[0].length);
        return;
      }
      if (this.#at >= this.#source.length) {
        const expected = kind === "block" ? "%}" : "}}";
        fail(`expected ${open.at(-1) ?? expected}, the template ends`, line);
      }
      this.#readToken(open);
    }
  }

  #readToken(open: string[]): void {
    const at = this.#at;
    const space = this.#match(SPACE, at);
    if (space !== undefined) {
      this.#at += space[0].length;
      return;
    }
    const isAfterDot = this.#source[at - 1] === ".";
    const float = isAfterDot ? undefined : this.#match(FLOAT, at);
    const found =
      (float && ({ type: "float", text: float[0] } as const)) ??
      this.#find("integer", INTEGER) ??
      this.#find("name", NAME) ??
      this.#find("string", STRING) ??
      this.#find("operator", OPERATOR);
    if (found === undefined) {
      fail(`unexpected ${JSON.stringify(this.#source[at])}`, this.#lineAt(at));
    }
    const { type, text } = found;
    this.#at += text.length;
    if (type === "operator") this.#balance(text, open);
    this.#push(type, type === "string" ? unescapeLiteral(text.slice(1, -1)) : text, at);
  }

  #find(type: TokenType, pattern: RegExp): { type: TokenType; text: string } | undefined {
    const match = this.#match(pattern, this.#at);
    return match && { type, text: match[0] };
  }

  #balance(text: string, open: string[]): void {
    if (text in CLOSING) open.push(CLOSING[text]);
    else if (text === ")" || text === "]" || text === "}") {
      const expected = open.pop();
      if (expected === text) return;
      const wanted = expected === undefined ? "no closing bracket" : expected;
      fail(`expected ${wanted}, got ${text}`, this.#lineAt(this.#at));
    }
  }

  #match(pattern: RegExp, at: number): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#source) ?? undefined;
  }

  #passTo(at: number): void {
    this.#at = at;
    this.#isLineStart = this.#source[at - 1] === "\n";
  }

  #push(type: TokenType, text: string, at: number): void {
    if (type === "data" && text === "") return;
    this.#tokens.push({ type, text, line: this.#lineAt(at) });
  }

  #lineAt(at: number): number {
    for (; this.#counted < at; this.#counted++) {
      if (this.#source[this.#counted] === "\n") this.#line++;
    }
    return this.#line;
  }
}
