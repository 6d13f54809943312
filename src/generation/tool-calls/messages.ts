/** Tools and their calls as messages that a chat template renders. */
import { kindOf } from "../../describe.js";
import { invalidArgument } from "../../errors.js";
import {
  applyChatTemplate,
  type ChatMessage,
  type ChatTemplateOptions,
  type ChatTokenizer,
} from "../../tokenizer/chat.js";
import { checkMessages } from "../../tokenizer/messages.js";
import { CALL_CLOSE, CALL_OPEN, textOfCall } from "./call-format.js";
import type { FunctionTool } from "./tools.js";

/** What is put to the template: messages, and tools if it knows them. */
export interface ToolMessages {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly FunctionTool[] | undefined;
}

/**
 * The messages for the tokenizer's template. One that lists tools, and shows calls between
 * `<tool_call>` tags, gets the tools, and arguments of earlier calls as objects. For any other, the
 * first system message lists the tools and shows the form of a call, and earlier calls and their
 * results become texts of that form. Throws INVALID_ARGUMENT for wrong messages.
 */
export function messagesWithTools(
  tokenizer: ChatTokenizer,
  messages: readonly ChatMessage[],
  tools: readonly FunctionTool[],
  template: ChatTemplateOptions,
): ToolMessages {
  const checked = checkMessages(messages) as ChatMessage[];
  const hasCalls = checked.some(({ role, tool_calls }) => role === "tool" || tool_calls);
  if (tools.length === 0 && !hasCalls) return { messages, tools: undefined };
  const form = formOf(tokenizer, template);
  if (form === "tags") return { messages: checked.map(withParsedArguments), tools };
  if (form === "other" && tools.length === 0) return { messages, tools: undefined };
  return { messages: withInstruction(asTexts(checked), tools), tools: undefined };
}

/** How the template shows tools, found by rendering one: "none" if it does not. */
function formOf(
  tokenizer: ChatTokenizer,
  template: ChatTemplateOptions,
): "tags" | "other" | "none" {
  const name = "probe_of_the_template";
  const tools = [{ type: "function", function: { name, description: "", parameters: {} } }];
  try {
    const question = [{ role: "user", content: "?" }];
    const text = applyChatTemplate(tokenizer, question, { ...template, tools });
    if (!text.includes(name)) return "none";
    return text.includes(CALL_OPEN) ? "tags" : "other";
  } catch {
    return "none";
  }
}

/** A function that an earlier message calls. */
interface CalledFunction {
  readonly name: string;
  /** JSON, or the value itself. */
  readonly arguments?: unknown;
}

/** The functions that message number `i` calls, in OpenAI's shape or without its `function`. */
function calledIn({ tool_calls: calls }: ChatMessage, i: number): readonly CalledFunction[] {
  if (calls === undefined || calls === null) return [];
  const at = `[${i}].tool_calls`;
  if (!Array.isArray(calls)) throw invalidArgument("messages", "an array", kindOf(calls), { at });
  return calls.map((call: { function?: unknown } | null, k) => {
    const called = Object(call?.function ?? call) as CalledFunction;
    if (typeof called.name === "string") return called;
    const expected = "a call { id, type, function: { name, arguments } }";
    throw invalidArgument("messages", expected, kindOf(call), { at: `${at}[${k}]` });
  });
}

/** A message whose calls have their arguments as templates print them: as values, not as JSON. */
function withParsedArguments(message: ChatMessage, i: number): ChatMessage {
  const called = calledIn(message, i);
  if (called.length === 0) return message;
  const calls = called.map((each, k) => ({
    ...(message.tool_calls as object[])[k],
    type: "function",
    function: { ...each, arguments: parsedValue(each.arguments) },
  }));
  // Some templates look into the content.
  return { ...message, content: message.content ?? "", tool_calls: calls };
}

/** The value of arguments that are JSON; anything else as it is. */
function parsedValue(args: unknown): unknown {
  if (typeof args !== "string") return args ?? {};
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}

/** The messages with calls as texts, and results as messages of the user. */
function asTexts(messages: readonly ChatMessage[]): ChatMessage[] {
  const texts: ChatMessage[] = [];
  for (const [i, message] of messages.entries()) {
    const { role, content, tool_calls: _, ...rest } = message;
    const text = (content ?? "") as string;
    const calls = calledIn(message, i).map(({ name, arguments: args = {} }) =>
      textOfCall(name, typeof args === "string" ? args : JSON.stringify(args)),
    );
    if (role !== "tool") {
      const parts = text === "" ? calls : [text, ...calls];
      texts.push({ ...rest, role, content: parts.join("\n") });
      continue;
    }
    const result = `<tool_response>\n${text}\n</tool_response>`;
    const last = texts.at(-1);
    // Results that follow each other are one message.
    if (messages[i - 1]?.role === "tool") last!.content = `${last!.content}\n${result}`;
    else texts.push({ role: "user", content: result });
  }
  return texts;
}

/** The messages with the list of tools at the end of a first system message. */
function withInstruction(
  messages: readonly ChatMessage[],
  tools: readonly FunctionTool[],
): readonly ChatMessage[] {
  if (tools.length === 0) return messages;
  const [first, ...rest] = messages;
  const instruction = instructionOf(tools);
  if (first?.role !== "system") return [{ role: "system", content: instruction }, ...messages];
  const content = first.content === "" ? instruction : `${first.content}\n\n${instruction}`;
  return [{ ...first, content }, ...rest];
}

/** What the system message says about tools. */
function instructionOf(tools: readonly FunctionTool[]): string {
  const lines = tools.map(({ function: { name, description, parameters } }) =>
    JSON.stringify({ name, description, parameters }),
  );
  return `# Tools

You can call functions to answer the user. Between <tools> and </tools>, each line is a function:
<tools>
${lines.join("\n")}
</tools>

To call functions, write for each of them its name and its arguments in this form:
${CALL_OPEN}
{"name": <the function's name>, "arguments": <an object with its arguments>}
${CALL_CLOSE}
Their results come between <tool_response> and </tool_response>.`;
}
