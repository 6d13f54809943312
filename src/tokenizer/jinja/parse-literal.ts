/** Parses literals: constants, strings and numbers. */
import type { Token } from "./lexer.js";
import type { Expression } from "./syntax.js";
import type { TokenStream } from "./token-stream.js";

const CONSTANTS = new Map([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);

/** As in Python. */
const MAX_DIGITS = 4300;

export function constant(
  value: boolean | null | string | bigint | number,
  line: number,
): Expression {
  return { kind: "constant", value, line };
}

/** The constant of this name, else a variable. */
export function nameOrConstant({ text, line }: Token): Expression {
  const value = CONSTANTS.get(text);
  return value === undefined ? { kind: "name", name: text, line } : constant(value, line);
}

/** A number or a text (adjacent strings are joined); undefined if there is neither. */
export function parseLiteral(stream: TokenStream): Expression | undefined {
  const { type, line } = stream.current;
  if (type === "string") {
    let value = "";
    while (stream.is("string")) value += stream.next().text;
    return constant(value, line);
  }
  if (type !== "integer" && type !== "float") return undefined;
  if (type === "integer" && stream.current.text.length > MAX_DIGITS) {
    stream.fail(`expected an integer of at most ${MAX_DIGITS} digits`);
  }
  const digits = stream.next().text.replaceAll("_", "").toLowerCase();
  return constant(type === "integer" ? BigInt(digits) : Number(digits), line);
}
