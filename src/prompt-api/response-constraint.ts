/** The option `responseConstraint` as a format of answers, and as a hint for the model. */
import { brandOf } from "../brands.js";
import { kindOf } from "../describe.js";
import type { ResponseFormat } from "../generation/response-format.js";
import { domException } from "./errors.js";
import type { PromptInput } from "./input.js";
import type { LanguageModelPromptOptions } from "./specification.js";

/** Flags that change nothing for a whole text. */
const FLAGS = /^[dguy]*$/;

/**
 * The format; undefined for a free answer. Throws TypeError for what is neither a RegExp nor a
 * schema, and a NotSupportedError for a RegExp's flags.
 */
export function formatOf(options: LanguageModelPromptOptions): ResponseFormat | undefined {
  const { responseConstraint: constraint, omitResponseConstraintInput = false } = options;
  if (constraint === undefined || constraint === null) {
    if (!omitResponseConstraintInput) return undefined;
    throw new TypeError("omitResponseConstraintInput: expected a responseConstraint beside it");
  }
  if (brandOf(constraint) === "RegExp") {
    const { source, flags } = constraint as RegExp;
    if (FLAGS.test(flags)) return { type: "regex", pattern: source };
    const message = `responseConstraint: expected flags among d, g, u and y, got ${flags}`;
    throw domException("NotSupportedError", message);
  }
  if (typeof constraint !== "object" || Array.isArray(constraint)) {
    const expected = "a JSON Schema or a RegExp";
    throw new TypeError(`responseConstraint: expected ${expected}, got ${kindOf(constraint)}`);
  }
  return { type: "json_schema", schema: constraint };
}

/** The input with the format in its last message of the user, unless it shall be left out. */
export function withHint(
  input: PromptInput,
  format: ResponseFormat | undefined,
  { omitResponseConstraintInput = false }: LanguageModelPromptOptions,
): PromptInput {
  const last = input.messages.at(-1);
  if (format === undefined || omitResponseConstraintInput || last?.role !== "user") return input;
  const hint = hintOf(format);
  const content = last.content === "" ? hint : `${last.content}\n\n${hint}`;
  return { ...input, messages: [...input.messages.slice(0, -1), { ...last, content }] };
}

function hintOf(format: ResponseFormat): string {
  return format.type === "regex"
    ? `Answer with a text that this regular expression matches: ${format.pattern}`
    : `Answer with JSON of this JSON Schema: ${JSON.stringify(Object(format).schema)}`;
}
