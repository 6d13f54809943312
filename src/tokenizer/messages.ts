/** The messages of a conversation, checked. */
import { kindOf } from "../describe.js";
import { invalidArgument, type PlmError, quote } from "../errors.js";

/** A part of a message's content. */
export interface ChatTextPart {
  readonly type: "text";
  readonly text: string;
}

/** What a message says. Parts are joined with newlines, as llama.cpp and vLLM do. */
export type ChatContent = string | readonly ChatTextPart[];

/** One turn of a conversation, as OpenAI's API and transformers have it. */
export interface ChatMessage {
  /** Usually "system", "user", "assistant" or "tool". */
  role: string;
  /** May be null or missing beside `tool_calls` only. */
  content?: ChatContent | null;
  /** Anything else that the template reads, such as `tool_calls` or `reasoning_content`. */
  [field: string]: unknown;
}

/**
 * The messages as templates read them: content is a text, or null beside tool calls. Throws
 * INVALID_ARGUMENT, naming message and part, for anything else.
 */
export function checkMessages(messages: readonly ChatMessage[]): Record<string, unknown>[] {
  if (!Array.isArray(messages)) throw invalid("", "an array", kindOf(messages));
  return Array.from(messages as readonly unknown[], (message, i) => {
    const at = `[${i}]`;
    if (!isObject(message)) throw invalid(at, "an object", kindOf(message));
    // Read once: each may be a getter, of the message itself or of its class.
    const { role, content, tool_calls: calls } = message;
    if (typeof role !== "string") throw invalid(`${at}.role`, "a string", kindOf(role));
    const text = contentOf(content, calls, `${at}.content`);
    return {
      ...message,
      role,
      ...(text !== undefined && { content: text }),
      ...(calls !== undefined && { tool_calls: calls }),
    };
  });
}

/** The content as a text; null or undefined, as it is, beside tool calls. */
function contentOf(content: unknown, calls: unknown, at: string): string | null | undefined {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) {
    return Array.from(content, (part: unknown, i) => textOf(part, `${at}[${i}]`)).join("\n");
  }
  const hasCalls = Array.isArray(calls) && calls.length > 0;
  if (hasCalls && (content === null || content === undefined)) return content;
  throw invalid(at, "a string, or an array of text parts", kindOf(content));
}

/** A copy of a content, which later changes of its parts do not reach. */
export function copyContent(content: ChatContent): ChatContent {
  if (!Array.isArray(content)) return content;
  return Array.from(content as readonly unknown[], (part) =>
    isObject(part) ? { ...part, type: part.type, text: part.text } : part,
  ) as ChatTextPart[];
}

function textOf(part: unknown, at: string): string {
  const expected = 'a part { type: "text", text }';
  if (!isObject(part)) throw invalid(at, expected, kindOf(part));
  const { type, text } = part;
  if (type !== "text") {
    const got = typeof type === "string" ? `type ${quote(type)}` : "no type";
    throw invalid(at, expected, got);
  }
  if (typeof text !== "string") throw invalid(`${at}.text`, "a string", kindOf(text));
  return text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is wrong at a place in the messages; what they say is not shown. */
function invalid(at: string, expected: string, got: string): PlmError {
  return invalidArgument("messages", expected, got, { at });
}
