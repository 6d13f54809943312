/** Tokens as a parser reads them. */
import { fail } from "./failure.js";
import { type Token, type TokenType, tokenize } from "./lexer.js";

/** Deepest nesting of expressions and statements in a template. */
const MAX_DEPTH = 200;

export class TokenStream {
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(template: string) {
    this.#tokens = tokenize(template);
  }

  get current(): Token {
    return this.#tokens[this.#at];
  }

  /** The token after the current one. */
  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)];
  }

  get line(): number {
    return this.current.line;
  }

  next(): Token {
    const token = this.current;
    if (token.type !== "end of the template") this.#at++;
    return token;
  }

  is(type: TokenType, text?: string): boolean {
    return this.current.type === type && (text === undefined || this.current.text === text);
  }

  isOperator(text: string): boolean {
    return this.is("operator", text);
  }

  isName(text: string): boolean {
    return this.is("name", text);
  }

  /** Skips the current token if it is this one; returns whether it was. */
  skip(type: TokenType, text?: string): boolean {
    const isIt = this.is(type, text);
    if (isIt) this.next();
    return isIt;
  }

  /** Skips and returns the current token, which must be this one. */
  expect(type: TokenType, text?: string): Token {
    if (!this.is(type, text)) this.unexpected(text ?? NAMES[type] ?? `a ${type}`);
    return this.next();
  }

  /** Fails because another token was expected. */
  unexpected(expected: string): never {
    const { type, text } = this.current;
    const got = text === "" || type === "data" ? (NAMES[type] ?? type) : JSON.stringify(text);
    this.fail(`expected ${expected}, got ${got}`);
  }

  fail(message: string): never {
    fail(message, this.line);
  }

  /** Runs `parse` one level deeper. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.fail(`expected at most ${MAX_DEPTH} levels of nesting`);
    const result = parse();
    this.#depth--;
    return result;
  }
}

const NAMES: Partial<Record<TokenType, string>> = {
  data: "text",
  block_begin: "{%",
  block_end: "%}",
  variable_begin: "{{",
  variable_end: "}}",
  "end of the template": "the end of the template",
};
