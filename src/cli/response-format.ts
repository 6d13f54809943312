/** The flags of an answer's form, with llama.cpp's names. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { PlmError, reasonOf } from "../errors.js";
import { grammarSourceOf, type ResponseFormat } from "../generation/response-format.js";
import { checkGrammar } from "../grammar/constraints.js";

/** The flags that addResponseFormat adds: at most one of them is given. */
export interface ResponseFormatFlags {
  readonly jsonSchema?: string;
  readonly jsonSchemaFile?: string;
  readonly grammar?: string;
  readonly grammarFile?: string;
  readonly regex?: string;
}

const FLAGS = {
  jsonSchema: ["--json-schema <schema>", "write JSON of this schema; {} is for any JSON"],
  jsonSchemaFile: ["--json-schema-file <file>", "write JSON of the schema in a file"],
  grammar: ["--grammar <gbnf>", "write a text of this grammar"],
  grammarFile: ["--grammar-file <file>", "write a text of the grammar in a file"],
  regex: ["--regex <pattern>", "write a text that this regular expression matches"],
} as const;

type Flag = keyof typeof FLAGS;

export function addResponseFormat(command: Command): void {
  const all = Object.entries(FLAGS);
  for (const [name, [flags, help]] of all) {
    const others = Object.keys(FLAGS).filter((other) => other !== name);
    command.addOption(new Option(flags, help).conflicts(others));
  }
}

/** The format that the flags ask for. Throws for what the library would refuse. */
export async function readResponseFormat(
  flags: ResponseFormatFlags,
): Promise<ResponseFormat | undefined> {
  const name = (Object.keys(FLAGS) as Flag[]).find((each) => flags[each] !== undefined);
  if (name === undefined) return undefined;
  const given = flags[name]!;
  const flag = FLAGS[name][0].split(" ")[0];
  const text = name.endsWith("File") ? await readSource(given, flag) : given;
  const format = formatOf(name, flag, text);
  const source = grammarSourceOf(format);
  if (source !== undefined && source !== "invalid") checkGrammar(source);
  return format;
}

function formatOf(name: Flag, flag: string, text: string): ResponseFormat {
  if (name === "regex") return { type: "regex", pattern: text };
  if (name.startsWith("grammar")) return { type: "grammar", grammar: text };
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === "boolean") return { type: "json_schema", schema };
    if (isObject(schema)) return { type: "json_schema", schema };
  } catch {}
  throw new PlmError("INVALID_ARGUMENT", `${flag}: expected a JSON Schema, got something else`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readSource(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const message = `${flag}: expected a readable file, got ${reasonOf(cause)}`;
    throw new PlmError("UNREADABLE_FILE", message, { cause });
  }
}
