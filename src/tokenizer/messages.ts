/** The messages of a conversation, checked. */
import { PlmError, quote } from "../errors.js";

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
  if (!Array.isArray(messages)) throw invalid("messages", "an array", messages);
  return Array.from(messages as readonly unknown[], (message, i) => {
    const name = `messages[${i}]`;
    if (!isObject(message)) throw invalid(name, "an object", message);
    if (typeof message.role !== "string") throw invalid(`${name}.role`, "a string", message.role);
    const content = contentOf(message, `${name}.content`);
    return content === undefined ? { ...message } : { ...message, content };
  });
}

/** The content as a text; null or undefined, as it is, beside tool calls. */
function contentOf(
  { content, tool_calls: calls }: Record<string, unknown>,
  name: string,
): string | null | undefined {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) {
    return content.map((part: unknown, i) => textOf(part, `${name}[${i}]`)).join("\n");
  }
  const hasCalls = Array.isArray(calls) && calls.length > 0;
  if (hasCalls && (content === null || content === undefined)) return content;
  throw invalid(name, "a string, or an array of text parts", content);
}

function textOf(part: unknown, name: string): string {
  const expected = 'a part { type: "text", text }';
  if (!isObject(part)) throw invalid(name, expected, part);
  if (part.type !== "text") {
    const got = typeof part.type === "string" ? `type ${quote(part.type)}` : "no type";
    throw new PlmError("INVALID_ARGUMENT", `${name}: expected ${expected}, got ${got}`);
  }
  if (typeof part.text !== "string") throw invalid(`${name}.text`, "a string", part.text);
  return part.text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(name: string, expected: string, value: unknown): PlmError {
  const kind = Array.isArray(value) ? "array" : typeof value;
  const got = value === null || value === undefined ? String(value) : `the type ${kind}`;
  return new PlmError("INVALID_ARGUMENT", `${name}: expected ${expected}, got ${got}`);
}
