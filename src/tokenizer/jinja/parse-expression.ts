/** Parses expressions, with the precedences of `jinja2.parser`. */
import { constant, nameOrConstant, parseLiteral } from "./parse-literal.js";
import type {
  BinaryOperator,
  CallArguments,
  CompareOperator,
  Expression,
  Slice,
} from "./syntax.js";
import type { TokenStream } from "./token-stream.js";

const COMPARISONS = new Set(["==", "!=", "<", "<=", ">", ">="]);
/** What may begin a test's argument without parentheses, and names that may not. */
const LITERALS = new Set(["string", "integer", "float"]);
const NO_ARGUMENT = new Set(["else", "or", "and"]);

/** Everything up to a comma: `a if b else c` and whatever binds more tightly. */
export function parseExpression(stream: TokenStream): Expression {
  return stream.nested(() => {
    let result = parseOr(stream);
    while (stream.isName("if")) {
      const { line } = stream.next();
      const test = parseOr(stream);
      const otherwise = stream.skip("name", "else") ? parseExpression(stream) : undefined;
      result = { kind: "conditional", test, value: result, otherwise, line };
    }
    return result;
  });
}

interface TupleOptions {
  readonly parse?: (stream: TokenStream) => Expression;
  /** Whether the current token may follow a trailing comma, besides those that always may. */
  readonly isEnd?: () => boolean;
  readonly mayBeEmpty?: boolean;
}

/** One expression, or a tuple of several. */
export function parseTuple(
  stream: TokenStream,
  { parse = parseExpression, isEnd = () => false, mayBeEmpty = false }: TupleOptions = {},
): Expression {
  const { line } = stream;
  const items: Expression[] = [];
  let isTuple = false;
  const ends = (): boolean =>
    stream.is("variable_end") || stream.is("block_end") || stream.isOperator(")") || isEnd();
  while (!ends()) {
    items.push(parse(stream));
    if (!stream.skip("operator", ",")) break;
    isTuple = true;
  }
  if (!isTuple && items.length > 0) return items[0];
  if (items.length === 0 && !mayBeEmpty) stream.unexpected("an expression");
  return { kind: "tuple", items, line };
}

/** Without `a if b else c`, which would consume the `if` of a loop. */
export function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  while (stream.isName("or")) {
    const { line } = stream.next();
    left = { kind: "or", left, right: parseAnd(stream), line };
  }
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  while (stream.isName("and")) {
    const { line } = stream.next();
    left = { kind: "and", left, right: parseNot(stream), line };
  }
  return left;
}

function parseNot(stream: TokenStream): Expression {
  if (!stream.isName("not")) return parseCompare(stream);
  const { line } = stream.next();
  return { kind: "not", operand: stream.nested(() => parseNot(stream)), line };
}

function parseCompare(stream: TokenStream): Expression {
  const { line } = stream;
  const first = parseSum(stream);
  const rest: { operator: CompareOperator; operand: Expression }[] = [];
  for (;;) {
    const { type, text } = stream.current;
    let operator = text as CompareOperator;
    if (type === "name" && text === "not" && stream.following.text === "in") {
      stream.next();
      operator = "not in";
    } else if (!(type === "operator" ? COMPARISONS.has(text) : stream.isName("in"))) break;
    stream.next();
    rest.push({ operator, operand: parseSum(stream) });
  }
  return rest.length === 0 ? first : { kind: "compare", first, rest, line };
}

/** A level of operators that group from the left. */
function leftAssociative(
  operators: ReadonlySet<string>,
  parseOperand: (stream: TokenStream) => Expression,
): (stream: TokenStream) => Expression {
  return (stream) => {
    let left = parseOperand(stream);
    while (stream.is("operator") && operators.has(stream.current.text)) {
      const { line, text } = stream.next();
      const operator = text as BinaryOperator;
      left = { kind: "binary", operator, left, right: parseOperand(stream), line };
    }
    return left;
  };
}

const parsePower = leftAssociative(new Set(["**"]), (stream) => parseUnary(stream));
const parseProduct = leftAssociative(new Set(["*", "/", "//", "%"]), parsePower);
const parseSum = leftAssociative(new Set(["+", "-"]), parseConcat);

function parseConcat(stream: TokenStream): Expression {
  const { line } = stream;
  const items = [parseProduct(stream)];
  while (stream.skip("operator", "~")) items.push(parseProduct(stream));
  return items.length === 1 ? items[0] : { kind: "concat", items, line };
}

function parseUnary(stream: TokenStream, withFilters = true): Expression {
  const { line } = stream;
  let result: Expression;
  if (stream.isOperator("-") || stream.isOperator("+")) {
    const kind = stream.next().text === "-" ? "negate" : "plus";
    result = { kind, operand: stream.nested(() => parseUnary(stream, false)), line };
  } else result = parsePrimary(stream);
  result = parsePostfix(stream, result);
  return withFilters ? parseFilters(stream, result) : result;
}

function parsePrimary(stream: TokenStream): Expression {
  const { line } = stream;
  if (stream.is("name")) return nameOrConstant(stream.next());
  const literal = parseLiteral(stream);
  if (literal !== undefined) return literal;
  if (stream.skip("operator", "(")) {
    const result = parseTuple(stream, { mayBeEmpty: true });
    stream.expect("operator", ")");
    return result;
  }
  if (stream.skip("operator", "[")) {
    return { kind: "list", items: parseItems(stream, "]", () => parseExpression(stream)), line };
  }
  if (stream.skip("operator", "{")) {
    return { kind: "dict", entries: parseItems(stream, "}", () => parseEntry(stream)), line };
  }
  return stream.unexpected("an expression");
}

/** Items of `parseOne` between commas, up to `close`; a trailing comma is allowed. */
function parseItems<T>(stream: TokenStream, close: string, parseOne: () => T): T[] {
  const items: T[] = [];
  while (!stream.isOperator(close)) {
    items.push(parseOne());
    if (!stream.skip("operator", ",")) break;
  }
  stream.expect("operator", close);
  return items;
}

function parseEntry(stream: TokenStream): [Expression, Expression] {
  const key = parseExpression(stream);
  stream.expect("operator", ":");
  return [key, parseExpression(stream)];
}

/** Attributes, items and calls after `object`. */
function parsePostfix(stream: TokenStream, object: Expression): Expression {
  let result = object;
  for (;;) {
    if (stream.isOperator(".") || stream.isOperator("[")) result = parseMember(stream, result);
    else if (stream.isOperator("(")) result = parseCall(stream, result);
    else return result;
  }
}

function parseMember(stream: TokenStream, object: Expression): Expression {
  const { line, text } = stream.next();
  if (text === ".") {
    if (!stream.is("integer")) {
      return { kind: "attribute", object, name: stream.expect("name").text, line };
    }
    const index = constant(BigInt(stream.next().text.replaceAll("_", "")), line);
    return { kind: "item", object, index, line };
  }
  const index = parseIndex(stream);
  stream.expect("operator", "]");
  return { kind: "item", object, index, line };
}

function parseIndex(stream: TokenStream): Expression | Slice {
  const isEnd = (): boolean => stream.isOperator(":") || stream.isOperator("]");
  const start = stream.isOperator(":") ? undefined : parseTuple(stream, { isEnd });
  if (!stream.skip("operator", ":")) return start!;
  const stop = isEnd() ? undefined : parseExpression(stream);
  const step = stream.skip("operator", ":") && !isEnd() ? parseExpression(stream) : undefined;
  return { kind: "slice", start, stop, step };
}

function parseCall(stream: TokenStream, callee: Expression): Expression {
  const { line } = stream;
  return { kind: "call", callee, arguments: parseArguments(stream), line };
}

/** The arguments between the parentheses of a call. */
function parseArguments(stream: TokenStream): CallArguments {
  const positional: Expression[] = [];
  const named: [string, Expression][] = [];
  let list: Expression | undefined;
  let map: Expression | undefined;
  stream.expect("operator", "(");
  parseItems(stream, ")", () => {
    const isNamed = stream.is("name") && stream.following.text === "=";
    if (stream.skip("operator", "**")) map = parseExpression(stream);
    else if (map !== undefined) stream.unexpected(")");
    else if (stream.skip("operator", "*")) list = parseExpression(stream);
    else if (isNamed && stream.following.type === "operator") {
      const { text } = stream.next();
      stream.next();
      named.push([text, parseExpression(stream)]);
    } else if (named.length > 0 || list !== undefined) stream.unexpected("a named argument");
    else positional.push(parseExpression(stream));
  });
  return { positional, named, list, map };
}

const NO_ARGUMENTS: CallArguments = { positional: [], named: [] };

/** Filters, tests and calls of their results after `operand`. */
function parseFilters(stream: TokenStream, operand: Expression): Expression {
  let result = operand;
  for (;;) {
    if (stream.isOperator("|")) {
      stream.next();
      result = parseFilter(stream, result);
    } else if (stream.isName("is")) result = parseTest(stream, result);
    else if (stream.isOperator("(")) result = parseCall(stream, result);
    else return result;
  }
}

/** One filter, after its `|`. */
function parseFilter(stream: TokenStream, operand: Expression): Expression {
  const { line } = stream;
  const name = parseDottedName(stream);
  const hasArguments = stream.isOperator("(");
  const callArguments = hasArguments ? parseArguments(stream) : NO_ARGUMENTS;
  return { kind: "filter", name, operand, arguments: callArguments, line };
}

/** Filters with a `|` between them; if `startsInline`, none before the first. */
export function parseFilterChain(
  stream: TokenStream,
  operand: Expression,
  startsInline: boolean,
): Expression {
  let result = startsInline ? parseFilter(stream, operand) : operand;
  while (stream.skip("operator", "|")) result = parseFilter(stream, result);
  return result;
}

function parseDottedName(stream: TokenStream): string {
  let name = stream.expect("name").text;
  while (stream.skip("operator", ".")) name += `.${stream.expect("name").text}`;
  return name;
}

function parseTest(stream: TokenStream, operand: Expression): Expression {
  const { line } = stream.next();
  const isNegated = stream.skip("name", "not");
  const name = parseDottedName(stream);
  const { type, text } = stream.current;
  const hasArgument = type === "name" ? !NO_ARGUMENT.has(text) : LITERALS.has(type);
  let callArguments = NO_ARGUMENTS;
  if (stream.isOperator("(")) callArguments = parseArguments(stream);
  else if (hasArgument || (type === "operator" && (text === "[" || text === "{"))) {
    if (stream.isName("is")) stream.fail("tests with `is` cannot be chained");
    callArguments = { positional: [parsePostfix(stream, parsePrimary(stream))], named: [] };
  }
  const test: Expression = { kind: "test", name, operand, arguments: callArguments, line };
  return isNegated ? { kind: "not", operand: test, line } : test;
}
