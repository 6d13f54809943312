/**
 * The official JSON Schema test suite as npm has it, of draft 4, with the forms that later drafts
 * changed written as draft 2020-12 writes them; and what grammars make of it, as a table.
 */
import { readdirSync, readFileSync } from "node:fs";
import { PlmError } from "../../../src/errors.js";
import type { Grammar } from "../../../src/grammar/expression.js";
import { schemaGrammar } from "../../../src/grammar/json-schema/compile.js";
import { recognizes } from "./recognize.js";

const FOLDER = "node_modules/json-schema-test-suite/tests/draft4";

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly Instance[];
}

interface Instance {
  readonly description: string;
  readonly data: unknown;
  readonly valid: boolean;
}

/** What became of the schemas of one file. */
export interface Row {
  readonly file: string;
  readonly honoured: number;
  /** The reasons of the refused ones. */
  readonly refused: readonly string[];
  /** How many valid instances the grammars of honoured schemas lack. */
  readonly narrowed: number;
  /** The invalid instances that they have. */
  readonly loosened: readonly string[];
}

export function officialRows(): Row[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return files.sort().map((file) => {
    const groups: readonly Group[] = JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8"));
    return rowOf(file.replace(".json", ""), groups);
  });
}

function rowOf(file: string, groups: readonly Group[]): Row {
  const refused: string[] = [];
  const loosened: string[] = [];
  let honoured = 0;
  let narrowed = 0;
  for (const { description, schema, tests } of groups) {
    const grammar = grammarOf(upgraded(schema));
    if (typeof grammar === "string") {
      refused.push(grammar);
      continue;
    }
    honoured++;
    for (const { data, valid, description: instance } of tests) {
      const isAccepted = recognizes(grammar, JSON.stringify(data));
      if (isAccepted && !valid) loosened.push(`${file}: ${description}: ${instance}`);
      if (!isAccepted && valid) narrowed++;
    }
  }
  return { file, honoured, refused, narrowed, loosened };
}

/** The grammar of a schema, or the message of its refusal. */
function grammarOf(schema: unknown): Grammar | string {
  try {
    return schemaGrammar(schema);
  } catch (error) {
    const { code, argument, message } = PlmError.from(error) ?? {};
    if (code !== "INVALID_ARGUMENT" || argument !== "responseFormat") throw error;
    return message!;
  }
}

/** Draft 4's lists of items and boolean bounds as draft 2020-12 writes them. */
function upgraded(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(upgraded);
  if (typeof schema !== "object" || schema === null) return schema;
  const { items, additionalItems, ...others } = schema as Record<string, unknown>;
  const result: Record<string, unknown> = Object.fromEntries(
    Object.entries(others).map(([key, value]) => [key, key === "enum" ? value : upgraded(value)]),
  );
  if (Array.isArray(items)) {
    result.prefixItems = upgraded(items);
    if (additionalItems !== undefined) result.items = upgraded(additionalItems);
  } else if (items !== undefined) result.items = upgraded(items);
  for (const bound of ["Minimum", "Maximum"]) {
    if (result[`exclusive${bound}`] !== true) continue;
    result[`exclusive${bound}`] = result[bound.toLowerCase()];
    delete result[bound.toLowerCase()];
  }
  return result;
}

/** The table of docs/structured-output.md. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ file, honoured, refused, narrowed, loosened }) => {
    const keywords = refused.map(
      (reason) => /(?:without|as) ("[^"]+")/.exec(reason)?.[1] ?? reason,
    );
    const why = keywords.length > 0 ? ` (${[...new Set(keywords)].join(", ")})` : "";
    return `| ${file} | ${honoured} | ${refused.length}${why} | ${narrowed} | ${loosened.length} |`;
  });
  const head = "| file | honoured | refused (for) | valid instances left out | loosened |";
  return [head, "| --- | ---: | --- | ---: | ---: |", ...cells].join("\n");
}
