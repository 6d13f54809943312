/** What form an answer has: the option `responseFormat`, and its text for caches and workers. */
import type { GrammarSource } from "../grammar/source.js";

/** What form the text has. It is written token by token so that it can have no other. */
export type ResponseFormat =
  /** Any text; as without the option. */
  | { readonly type: "text" }
  /** A JSON object. */
  | { readonly type: "json" }
  /**
   * JSON that a JSON Schema (draft 2020-12) accepts. Keywords that cannot be honoured are refused
   * (docs/structured-output.md lists them).
   */
  | { readonly type: "json_schema"; readonly schema: object | boolean }
  /** A text that a regular expression of ECMAScript matches as a whole, from start to end. */
  | { readonly type: "regex"; readonly pattern: string }
  /** A text of a grammar in llama.cpp's GBNF, from its rule `root`. */
  | { readonly type: "grammar"; readonly grammar: string };

/** What a valid `responseFormat` is. */
export const RESPONSE_FORMATS: string =
  '{ type: "text" }, { type: "json" }, { type: "json_schema", schema }, ' +
  '{ type: "regex", pattern } or { type: "grammar", grammar }';

/** The grammar of a format: undefined for any text, "invalid" for what is no format. */
export function grammarSourceOf(format: unknown): GrammarSource | undefined | "invalid" {
  if (typeof format !== "object" || format === null) return "invalid";
  const { type, schema, pattern, grammar } = format as Record<string, unknown>;
  switch (type) {
    case "text":
      return undefined;
    case "json":
      return { type: "json_schema", text: '{"type":"object"}' };
    case "json_schema":
      return schemaSourceOf(schema);
    case "regex":
      return typeof pattern === "string" ? { type, text: pattern } : "invalid";
    case "grammar":
      return typeof grammar === "string" ? { type, text: grammar } : "invalid";
    default:
      return "invalid";
  }
}

function schemaSourceOf(schema: unknown): GrammarSource | "invalid" {
  const isSchema =
    typeof schema === "boolean" ||
    (typeof schema === "object" && schema !== null && !Array.isArray(schema));
  if (!isSchema) return "invalid";
  try {
    return { type: "json_schema", text: JSON.stringify(schema) };
  } catch {
    return "invalid"; // circular, or with a BigInt
  }
}
