/** The form of calls in a text, that of Hermes and Qwen models, as a constraint. */
import { describeValue } from "../../describe.js";
import { invalidArgument } from "../../errors.js";
import type { ResponseFormat, StructuralTagFormat, TagStructure } from "../response-format.js";
import type { FunctionTool, ResolvedTools } from "./tools.js";

/** What a call begins and ends with. */
export const CALL_OPEN = "<tool_call>";
export const CALL_CLOSE = "</tool_call>";

/** The text of a call; `args` is JSON. */
export function textOfCall(name: string, args: string): string {
  return `${openingOf(name)}${args}}\n${CALL_CLOSE}`;
}

/** The text of a call up to its arguments. */
function openingOf(name: string): string {
  return `${CALL_OPEN}\n{"name": ${JSON.stringify(name)}, "arguments": `;
}

/**
 * The format of an answer that may or must call tools; that of `responseFormat` if it must not.
 * Beside calls, the answer is free text, or one JSON value of `responseFormat`; it then has one
 * call at most. Throws INVALID_ARGUMENT for another `responseFormat` beside calls.
 */
export function formatOfCalls(
  { tools, choice, isParallel }: ResolvedTools,
  responseFormat: ResponseFormat | undefined,
): ResponseFormat | undefined {
  if (tools.length === 0 || choice === "none") return responseFormat;
  const wanted = typeof choice === "object" ? choice.name : undefined;
  const structures = tools
    .filter((tool) => wanted === undefined || tool.function.name === wanted)
    .map(structureOf);
  const type = "structural_tag";
  const triggers = [CALL_OPEN];
  if (choice !== "auto") {
    const stopAfterFirst = wanted !== undefined || !isParallel;
    return { type, structures, triggers, atLeastOne: true, stopAfterFirst, separator: "\n" };
  }
  const answer = schemaOf(responseFormat);
  if (answer === undefined) return { type, structures, triggers, stopAfterFirst: !isParallel };
  return callOrAnswer(structures, answer);
}

/** One call, or a JSON value. */
function callOrAnswer(
  structures: readonly TagStructure[],
  schema: object | boolean,
): StructuralTagFormat {
  return {
    type: "structural_tag",
    structures: [...structures, { begin: "", schema, end: "" }],
    triggers: [CALL_OPEN, ""],
    atLeastOne: true,
    stopAfterFirst: true,
  };
}

/** The schema of a JSON format; undefined for free text. */
function schemaOf(format: ResponseFormat | undefined): object | boolean | undefined {
  if (format === undefined || format === null || format.type === "text") return undefined;
  if (format.type === "json") return { type: "object" };
  if (format.type === "json_schema") return format.schema;
  const got = `type ${describeValue(format.type)}`;
  throw invalidArgument("responseFormat", "text or JSON beside tools", got);
}

function structureOf({ function: { name, parameters } }: FunctionTool): TagStructure {
  return { begin: openingOf(name), schema: schemaOfArguments(parameters), end: `}\n${CALL_CLOSE}` };
}

/** Keywords that say by themselves what kinds of values there are. */
const KINDS = ["type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"];

/** The schema of the arguments, which are an object: without parameters an empty one. */
function schemaOfArguments(parameters: object | null | undefined): object {
  if (parameters === undefined || parameters === null) {
    return { type: "object", properties: {}, additionalProperties: false };
  }
  return KINDS.some((keyword) => keyword in parameters)
    ? parameters
    : { type: "object", ...parameters };
}
