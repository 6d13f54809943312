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
  | { readonly type: "grammar"; readonly grammar: string }
  /** Free text with structures in it, such as calls of tools. */
  | StructuralTagFormat;

/**
 * Free text in which each of the triggers begins a structure: one of those whose `begin` starts
 * with that trigger. The meaning is that of structural tags in xgrammar and vLLM.
 */
export interface StructuralTagFormat {
  readonly type: "structural_tag";
  readonly structures: readonly TagStructure[];
  /**
   * Texts that can only begin a structure; each `begin` starts with one of them. An empty one is
   * for a text that is one structure and nothing else: with `atLeastOne` and `stopAfterFirst`.
   */
  readonly triggers: readonly string[];
  /** Whether the text begins with a structure: there is no free text before it. Default false. */
  readonly atLeastOne?: boolean;
  /** Whether the text ends after the first structure. Default false. */
  readonly stopAfterFirst?: boolean;
  /** With it, there is only this text between structures and none around them. */
  readonly separator?: string;
}

/** A part of a text: JSON between two fixed texts. */
export interface TagStructure {
  readonly begin: string;
  /** The JSON Schema of what is between them. */
  readonly schema: object | boolean;
  readonly end: string;
}

/** What a valid `responseFormat` is. */
export const RESPONSE_FORMATS: string =
  '{ type: "text" }, { type: "json" }, { type: "json_schema", schema }, ' +
  '{ type: "regex", pattern }, { type: "grammar", grammar } or ' +
  '{ type: "structural_tag", structures, triggers }';

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
    case "structural_tag":
      return tagSourceOf(format as Partial<StructuralTagFormat>);
    default:
      return "invalid";
  }
}

function schemaSourceOf(schema: unknown): GrammarSource | "invalid" {
  return isSchema(schema) ? jsonSourceOf("json_schema", schema) : "invalid";
}

function tagSourceOf(format: Partial<StructuralTagFormat>): GrammarSource | "invalid" {
  const { type, structures, triggers, separator } = format;
  const { atLeastOne = false, stopAfterFirst = false } = format;
  const isValid =
    isListOf(triggers, (trigger): trigger is string => typeof trigger === "string") &&
    isListOf(structures, (item): item is TagStructure => isStructure(item, triggers)) &&
    typeof atLeastOne === "boolean" &&
    typeof stopAfterFirst === "boolean" &&
    (separator === undefined || typeof separator === "string") &&
    (!triggers.includes("") || (atLeastOne && stopAfterFirst));
  if (!isValid) return "invalid";
  const plain = structures.map(({ begin, schema, end }) => ({ begin, schema, end }));
  return jsonSourceOf(type!, {
    structures: plain,
    triggers,
    atLeastOne,
    stopAfterFirst,
    separator,
  });
}

function isStructure(structure: unknown, triggers: readonly string[]): boolean {
  if (typeof structure !== "object" || structure === null) return false;
  const { begin, schema, end } = structure as Partial<TagStructure>;
  if (typeof begin !== "string" || typeof end !== "string" || !isSchema(schema)) return false;
  return triggers.some((trigger) => begin.startsWith(trigger));
}

function isSchema(schema: unknown): boolean {
  if (typeof schema === "boolean") return true;
  return typeof schema === "object" && schema !== null && !Array.isArray(schema);
}

/** Whether it is an array of at least one item, each of which passes. */
function isListOf<T>(list: unknown, test: (item: unknown) => item is T): list is readonly T[] {
  return Array.isArray(list) && list.length > 0 && list.every(test);
}

function jsonSourceOf(
  type: "json_schema" | "structural_tag",
  value: unknown,
): GrammarSource | "invalid" {
  try {
    return { type, text: JSON.stringify(value) };
  } catch {
    return "invalid"; // circular, or with a BigInt
  }
}
