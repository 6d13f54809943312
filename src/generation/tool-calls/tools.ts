/** Tools that a model may call, in OpenAI's shape, and how many of them it calls; checked. */
import { describeValue, kindOf } from "../../describe.js";
import { invalidArgument } from "../../errors.js";
import { grammarSourceOf } from "../response-format.js";

/** A function that the model may call, as in OpenAI's API. */
export interface FunctionTool {
  readonly type: "function";
  readonly function: {
    /** Its name, which no other tool has. */
    readonly name: string;
    /** What it does, for the model. */
    readonly description?: string | undefined;
    /** JSON Schema of its arguments, an object; none by default. */
    readonly parameters?: object | undefined;
    /** Changes nothing: arguments always follow `parameters`. */
    readonly strict?: boolean | null | undefined;
  };
}

/**
 * Whether the model calls tools: as it likes, never, at least once, or exactly once the one of a
 * name.
 */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** A call of a tool, as OpenAI's API has it in the `tool_calls` of a message. */
export interface ToolCall {
  /** `call_` and 24 random letters and digits. */
  readonly id: string;
  readonly type: "function";
  readonly function: {
    readonly name: string;
    /** The arguments as JSON, an object. */
    readonly arguments: string;
  };
}

/** What may be called, with every default filled in. */
export interface ResolvedTools {
  readonly tools: readonly FunctionTool[];
  readonly choice: ToolChoice;
  readonly isParallel: boolean;
}

/** Options of `Model.chat` about calls of tools. */
export interface ToolCallOptions {
  /** Tools that the model may call; the result has `toolCalls`. Default none. */
  tools?: readonly FunctionTool[];
  /** Whether it calls them. Default "auto": as it likes. */
  toolChoice?: ToolChoice;
  /** Whether an answer may have several calls. Default true. */
  parallelToolCalls?: boolean;
}

/** The options with their defaults. Throws INVALID_ARGUMENT, naming what is wrong. */
export function resolveTools(options: ToolCallOptions): ResolvedTools {
  const { tools: given, toolChoice = "auto", parallelToolCalls = true } = options;
  const tools = checkTools(given ?? []);
  if (typeof parallelToolCalls !== "boolean") {
    throw invalidArgument("parallelToolCalls", "a boolean", describeValue(parallelToolCalls));
  }
  return { tools, choice: checkChoice(toolChoice, tools), isParallel: parallelToolCalls };
}

function checkTools(tools: unknown): readonly FunctionTool[] {
  if (!Array.isArray(tools)) throw invalidArgument("tools", "an array", kindOf(tools));
  const names = new Set<string>();
  for (const [i, tool] of (tools as unknown[]).entries()) {
    const { type, function: fn } = Object(tool) as Partial<FunctionTool>;
    if (type !== "function" || typeof fn !== "object" || fn === null) {
      const expected = 'a tool { type: "function", function: { name, description, parameters } }';
      throw invalidArgument("tools", expected, kindOf(tool), { at: `[${i}]` });
    }
    const at = `[${i}].function`;
    checkFunction(fn, at);
    if (names.has(fn.name)) {
      throw invalidArgument("tools", "a name of its own", describeValue(fn.name), {
        at: `${at}.name`,
      });
    }
    names.add(fn.name);
  }
  return tools as FunctionTool[];
}

function checkFunction(fn: FunctionTool["function"], at: string): void {
  const { name, description, parameters }: Record<string, unknown> = { ...fn };
  if (typeof name !== "string" || name === "") {
    throw invalidArgument("tools", "a non-empty string", describeValue(name), { at: `${at}.name` });
  }
  if (description !== undefined && description !== null && typeof description !== "string") {
    throw invalidArgument("tools", "a string", kindOf(description), { at: `${at}.description` });
  }
  const isMissing = parameters === undefined || parameters === null;
  const source = grammarSourceOf({ type: "json_schema", schema: parameters });
  if (!isMissing && (source === "invalid" || typeof parameters === "boolean")) {
    throw invalidArgument("tools", "a JSON Schema as plain data", kindOf(parameters), {
      at: `${at}.parameters`,
    });
  }
}

function checkChoice(choice: unknown, tools: readonly FunctionTool[]): ToolChoice {
  if (choice === "auto" || choice === "none") return choice;
  const { name } = Object(choice) as { name?: unknown };
  const isKnown = tools.some((tool) => tool.function.name === name);
  if (choice === "required" ? tools.length > 0 : isKnown) return choice as ToolChoice;
  const expected = '"auto", "none", or, of the tools, "required" or { name }';
  const got = typeof name === "string" ? `{ name: ${describeValue(name)} }` : describeValue(choice);
  throw invalidArgument("toolChoice", expected, got);
}
