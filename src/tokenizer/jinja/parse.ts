/** Parses templates: the statements of `jinja2.parser`, `loopcontrols` and `generation`. */
import { parseExpression, parseFilterChain, parseOr, parseTuple } from "./parse-expression.js";
import {
  BLOCK_TEXT,
  type Expression,
  type MacroParts,
  type Parameter,
  type Statement,
  type Target,
} from "./syntax.js";
import { TokenStream } from "./token-stream.js";

/** Jinja's statements that a chat template, which is one file, cannot use. */
const UNSUPPORTED = new Set(["extends", "block", "include", "import", "from", "autoescape"]);

/** The statements of a template. Throws TemplateFailure at the first error. */
export function parseTemplate(template: string): Statement[] {
  const stream = new TokenStream(template);
  return parseBody(stream, undefined, []);
}

/** Statements up to one of the tags `ends`; the tag's name is then the current token. */
function parseBody(stream: TokenStream, tag: string | undefined, ends: string[]): Statement[] {
  const { line } = stream;
  const body: Statement[] = [];
  for (;;) {
    const token = stream.next();
    if (token.type === "data") body.push({ kind: "text", text: token.text, line: token.line });
    else if (token.type === "variable_begin") {
      body.push({ kind: "print", expression: parseTuple(stream), line: token.line });
      stream.expect("variable_end");
    } else if (token.type === "block_begin") {
      if (stream.is("name") && ends.includes(stream.current.text)) return body;
      body.push(stream.nested(() => parseStatement(stream)));
      stream.expect("block_end");
    } else if (tag === undefined) return body;
    else stream.fail(`expected {% ${ends.at(-1)} %} for {% ${tag} %} of line ${line}, found none`);
  }
}

/** The statements inside a block, from the end of its tag to after the name of its end tag. */
function parseBlock(stream: TokenStream, tag: string): Statement[] {
  stream.expect("block_end");
  const body = parseBody(stream, tag, [`end${tag}`]);
  stream.next();
  return body;
}

function parseStatement(stream: TokenStream): Statement {
  const { text: tag, line } = stream.expect("name");
  switch (tag) {
    case "if":
      return parseIf(stream, line);
    case "for":
      return parseFor(stream, line);
    case "set":
      return parseSet(stream, line);
    case "print":
      return { kind: "print", expression: parseTuple(stream), line };
    case "with":
      return parseWith(stream, line);
    case "macro": {
      const name = stream.expect("name").text;
      const parameters = parseParameters(stream);
      return { kind: "macro", name, ...parseMacro(stream, tag, parameters), line };
    }
    case "call":
      return parseCallBlock(stream, line);
    case "filter": {
      const value = parseFilterChain(stream, blockText(line), true);
      return { kind: "filter block", value, body: parseBlock(stream, tag), line };
    }
    case "generation":
      return { kind: "with", bindings: [], body: parseBlock(stream, tag), line };
    case "break":
    case "continue":
      return { kind: tag, line };
    default:
      if (UNSUPPORTED.has(tag)) stream.fail(`the statement {% ${tag} %} is not supported`);
      return stream.fail(`unknown statement {% ${tag} %}`);
  }
}

function blockText(line: number): Expression {
  return { kind: "name", name: BLOCK_TEXT, line };
}

function parseIf(stream: TokenStream, line: number): Statement {
  const branches: { test: Expression; body: Statement[] }[] = [];
  const ends = ["elif", "else", "endif"];
  let tag = "if";
  while (tag === "if" || tag === "elif") {
    const test = parseTuple(stream, { parse: parseOr });
    stream.expect("block_end");
    branches.push({ test, body: parseBody(stream, "if", ends) });
    tag = stream.next().text;
  }
  return { kind: "if", branches, otherwise: parseElse(stream, tag, "if"), line };
}

/** The statements between `else`, if that is `tag`, and the end of the block. */
function parseElse(stream: TokenStream, tag: string, block: string): Statement[] {
  if (tag !== "else") return [];
  stream.expect("block_end");
  const body = parseBody(stream, block, [`end${block}`]);
  stream.next();
  return body;
}

function parseFor(stream: TokenStream, line: number): Statement {
  const target = parseTarget(stream);
  stream.expect("name", "in");
  const isEnd = (): boolean => stream.isName("recursive");
  const iterable = parseTuple(stream, { parse: parseOr, isEnd });
  const test = stream.skip("name", "if") ? parseExpression(stream) : undefined;
  const isRecursive = stream.skip("name", "recursive");
  stream.expect("block_end");
  const body = parseBody(stream, "for", ["else", "endfor"]);
  const otherwise = parseElse(stream, stream.next().text, "for");
  return { kind: "for", target, iterable, test, isRecursive, body, otherwise, line };
}

function parseSet(stream: TokenStream, line: number): Statement {
  const target = parseTarget(stream);
  if (stream.skip("operator", "=")) return { kind: "set", target, value: parseTuple(stream), line };
  const value = parseFilterChain(stream, blockText(line), false);
  return { kind: "set block", target, value, body: parseBlock(stream, "set"), line };
}

function parseWith(stream: TokenStream, line: number): Statement {
  const bindings: { target: Target; value: Expression }[] = [];
  while (!stream.is("block_end")) {
    if (bindings.length > 0) stream.expect("operator", ",");
    const target = parseOneTarget(stream);
    stream.expect("operator", "=");
    bindings.push({ target, value: parseExpression(stream) });
  }
  return { kind: "with", bindings, body: parseBlock(stream, "with"), line };
}

function parseCallBlock(stream: TokenStream, line: number): Statement {
  const parameters = stream.isOperator("(") ? parseParameters(stream) : [];
  const call = parseExpression(stream);
  if (call.kind !== "call") return stream.fail("expected a call after {% call");
  return { kind: "call block", call, ...parseMacro(stream, "call", parameters), line };
}

function parseMacro(stream: TokenStream, tag: string, parameters: Parameter[]): MacroParts {
  const body = parseBlock(stream, tag);
  const extras = ["varargs", "kwargs", "caller"].filter((name) => uses(body, name));
  return { parameters, body, extras: new Set(extras) };
}

/** Whether a part of the tree uses a variable of this name. */
function uses(part: unknown, name: string): boolean {
  if (typeof part !== "object" || part === null) return false;
  const { kind, name: own } = part as { kind?: unknown; name?: unknown };
  if (kind === "name" && own === name) return true;
  return Object.values(part).some((inner) => uses(inner, name));
}

function parseParameters(stream: TokenStream): Parameter[] {
  const parameters: Parameter[] = [];
  stream.expect("operator", "(");
  while (!stream.isOperator(")")) {
    if (parameters.length > 0) stream.expect("operator", ",");
    const name = stream.expect("name").text;
    if (stream.skip("operator", "=")) {
      parameters.push({ name, fallback: parseExpression(stream) });
    } else if (parameters.at(-1)?.fallback !== undefined) stream.unexpected("=");
    else parameters.push({ name });
  }
  stream.expect("operator", ")");
  return parameters;
}

/** One target, or several with commas between them. */
function parseTarget(stream: TokenStream): Target {
  const first = parseOneTarget(stream);
  if (!stream.isOperator(",")) return first;
  const items = [first];
  while (stream.skip("operator", ",")) {
    if (!stream.is("name") && !stream.isOperator("(")) break;
    if (stream.isName("in")) break;
    items.push(parseOneTarget(stream));
  }
  return { kind: "tuple", items };
}

function parseOneTarget(stream: TokenStream): Target {
  if (stream.skip("operator", "(")) {
    const target = stream.nested(() => parseTarget(stream));
    stream.expect("operator", ")");
    return target;
  }
  const name = stream.expect("name").text;
  if (!stream.skip("operator", ".")) return { kind: "name", name };
  return { kind: "attribute", object: name, name: stream.expect("name").text };
}
