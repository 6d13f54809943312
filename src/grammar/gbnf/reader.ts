/** Reads GBNF from front to back. */
import { invalidArgument, type PlmError, quote } from "../../errors.js";

/** What a backslash and a letter stand for. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["\\", "\\"],
  ['"', '"'],
  ["[", "["],
  ["]", "]"],
]);

/** Hexadecimal digits of escapes. */
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

const NAME = /[A-Za-z0-9_-]/;

export class GbnfReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  get isAtLineEnd(): boolean {
    return this.char === "\n" || this.char === "\r";
  }

  /** The next UTF-16 unit; empty at the end. */
  get char(): string {
    return this.#text.charAt(this.#at);
  }

  get nextChar(): string {
    return this.#text.charAt(this.#at + 1);
  }

  get isAtName(): boolean {
    return NAME.test(this.char);
  }

  /** Skips a text if it comes next; returns whether it does. */
  skip(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.skip(text)) throw this.unexpected(`\`${text}\``);
  }

  /** Skips spaces and comments, also over the ends of lines or not. */
  skipSpace(overLines: boolean): void {
    for (; !this.isAtEnd; this.#at++) {
      if (this.char === "#") this.#at = this.#lineEnd() - 1;
      else if (!(this.char === " " || this.char === "\t" || (overLines && this.isAtLineEnd)))
        return;
    }
  }

  /** Skips spaces and lines if a `|` follows them. */
  skipToAlternative(): void {
    const before = this.#at;
    this.skipSpace(true);
    if (this.char !== "|") this.#at = before;
  }

  readName(expected: string): string {
    const from = this.#at;
    while (this.isAtName) this.#at++;
    if (this.#at === from) throw this.unexpected(expected);
    return this.#text.slice(from, this.#at);
  }

  readInteger(): number {
    const [digits = ""] = /^\d*/.exec(this.#text.slice(this.#at, this.#at + 16)) ?? [];
    const value = Number(digits);
    if (digits === "" || value > 2 ** 30) throw this.unexpected("an integer up to 2^30");
    this.#at += digits.length;
    return value;
  }

  /** A character of a literal or a set, which may be an escape: its code point. */
  readCharacter(expected: string): number {
    if (this.isAtEnd || this.isAtLineEnd) throw this.unexpected(expected);
    if (!this.skip("\\")) {
      const code = this.#text.codePointAt(this.#at)!;
      this.#at += code > 0xffff ? 2 : 1;
      return this.#scalar(code);
    }
    const letter = this.char;
    const known = ESCAPES.get(letter);
    const length = HEX_DIGITS.get(letter) ?? 0;
    const digits = this.#text.slice(this.#at + 1, this.#at + 1 + length);
    if (
      known === undefined &&
      !(length > 0 && /^[0-9A-Fa-f]+$/.test(digits) && digits.length === length)
    ) {
      throw this.unexpected('an escape such as \\n, \\\\, \\", \\x1F, \\u00E9 or \\U0001F600');
    }
    this.#at += 1 + length;
    return known?.charCodeAt(0) ?? this.#scalar(Number.parseInt(digits, 16));
  }

  /** The error of what comes next. */
  unexpected(expected: string, got?: string): PlmError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    const rest = this.#text.slice(this.#at, Math.min(this.#at + 20, this.#lineEnd()));
    const next = this.isAtEnd ? "the end" : rest === "" ? "the end of the line" : quote(rest);
    return invalidArgument("responseFormat", expected, got ?? next, {
      at: `.grammar, line ${line}`,
    });
  }

  #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#at);
    return end < 0 ? this.#text.length : end;
  }

  #scalar(code: number): number {
    if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) return code;
    throw this.unexpected("a Unicode character", `U+${code.toString(16).toUpperCase()}`);
  }
}
