/** `tools` and `tool_choice` as the library's. */
import { kindOf } from "../../describe.js";
import type {
  FunctionTool,
  ToolCallOptions,
  ToolChoice,
} from "../../generation/tool-calls/tools.js";
import type { Fields } from "../fields.js";
import { badField } from "../http-error.js";
import type { Serving } from "../serving.js";

/** Tools in the shape of chat completions; the library checks each. */
export function readTools(fields: Fields, serving: Serving): ToolCallOptions {
  const tools = fields.list("tools");
  serving.checkTexts(tools, "tools");
  return { ...(tools !== undefined && { tools: tools as FunctionTool[] }), ...readChoice(fields) };
}

/** Tools in the shape of responses, which have no object `function`. */
export function readFlatTools(fields: Fields, serving: Serving): ToolCallOptions {
  serving.checkTexts(fields.list("tools"), "tools");
  const tools = fields.list("tools")?.map((tool, i): FunctionTool => {
    const { type, name, description, parameters, strict } = Object(tool);
    if (type !== "function") throw badField(`tools[${i}]`, "a function", kindOf(tool));
    return { type, function: { name, description, parameters, strict } };
  });
  return { ...(tools !== undefined && { tools }), ...readChoice(fields) };
}

function readChoice(fields: Fields): ToolCallOptions {
  fields.names.set("toolChoice", "tool_choice").set("tools", "tools");
  fields.names.set("parallelToolCalls", "parallel_tool_calls");
  const choice = fields.take("tool_choice");
  const parallelToolCalls = fields.take("parallel_tool_calls") as boolean | undefined;
  return {
    ...(choice !== undefined && { toolChoice: toChoice(choice) }),
    ...(parallelToolCalls !== undefined && { parallelToolCalls }),
  };
}

/** A choice by name loses its `type` and its `function`. */
function toChoice(choice: unknown): ToolChoice {
  if (typeof choice !== "object" || choice === null) return choice as ToolChoice;
  const { type, name, function: fn } = choice as Record<string, unknown>;
  const wanted: unknown = Object(fn).name ?? name;
  if (type !== "function") throw badField("tool_choice", "a function", kindOf(choice));
  return { name: wanted as string };
}
