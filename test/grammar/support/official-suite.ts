/**
 * The official JSON Schema test suite of draft 2020-12, as Debian packages it, and what grammars
 * make of it, as a table.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { PlmError } from "../../../src/errors.js";
import type { Grammar } from "../../../src/grammar/expression.js";
import { schemaGrammar } from "../../../src/grammar/json-schema/compile.js";
import { recognizes } from "./recognize.js";

/** Where the package libtest-json-schema-acceptance-perl has the suite. */
const SUITE = "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12";

const FOLDERS = ["", "optional/", "optional/format/"];

/** The most ways of writing an instance that are looked for. */
const MOST_WRITINGS = 200;

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

/** A row for each file of the suite; undefined if the suite is not there. */
export function officialRows(): Row[] | undefined {
  if (!existsSync(SUITE)) return undefined;
  return FOLDERS.flatMap((folder) => {
    const names = readdirSync(`${SUITE}/${folder}`).filter((name) => name.endsWith(".json"));
    return names.sort().map((name) => {
      const groups: readonly Group[] = JSON.parse(
        readFileSync(`${SUITE}/${folder}${name}`, "utf8"),
      );
      return rowOf(folder + name.replace(".json", ""), groups);
    });
  });
}

function rowOf(file: string, groups: readonly Group[]): Row {
  const refused: string[] = [];
  const loosened: string[] = [];
  let honoured = 0;
  let narrowed = 0;
  for (const { description, schema, tests } of groups) {
    const grammar = grammarOf(schema);
    if (typeof grammar === "string") {
      refused.push(grammar);
      continue;
    }
    honoured++;
    for (const { data, valid, description: instance } of tests) {
      const isAccepted = writings(data).some((text) => recognizes(grammar, text));
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

/** The texts that JSON.stringify makes of a value, with the keys of objects in every order. */
function writings(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  if (Array.isArray(value)) return joined(value.map(writings)).map((items) => `[${items}]`);
  const members = Object.entries(value).map(([key, item]) =>
    writings(item).map((text) => `${JSON.stringify(key)}:${text}`),
  );
  const found = orders(members).flatMap((order) => joined(order).map((items) => `{${items}}`));
  return found.slice(0, MOST_WRITINGS);
}

/** The lists of one text of each, with commas between them. */
function joined(parts: readonly (readonly string[])[]): string[] {
  if (parts.length === 0) return [""];
  return parts.reduce((before, part) =>
    before.flatMap((text) => part.map((next) => `${text},${next}`)).slice(0, MOST_WRITINGS),
  ) as string[];
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  const found = items.flatMap((item, i) =>
    orders(items.filter((_, j) => j !== i)).map((others) => [item, ...others]),
  );
  return found.slice(0, MOST_WRITINGS);
}

/** The table of docs/structured-output.md. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ file, honoured, refused, narrowed, loosened }) => {
    const reasons = refused.map(reasonOf);
    const why = reasons.length > 0 ? ` (${[...new Set(reasons)].join(", ")})` : "";
    return `| ${file} | ${honoured} | ${refused.length}${why} | ${narrowed} | ${loosened.length} |`;
  });
  const head = "| file | honoured | refused (for) | valid instances left out | loosened |";
  return [head, "| --- | ---: | --- | ---: | ---: |", ...cells].join("\n");
}

/** The keyword that a message names, or what else it says in short. */
function reasonOf(message: string): string {
  if (message.includes("a schema that some value satisfies")) return "no value satisfies it";
  return /(?:without|as) ("[^"]+")|the ("multipleOf")/.exec(message)?.slice(1).join("") ?? message;
}
