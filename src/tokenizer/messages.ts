/** The messages of a conversation, checked. */
import { PlmError, quote } from "../errors.js";

/** A part of a message's content. */
export interface ChatTextPart {
  readonly type: "text";
  readonly text: string;
}

/** A message's content. Parts are joined with newlines, as in llama.cpp and vLLM. */
export type ChatContent = string | readonly ChatTextPart[];

/** One turn of a conversation, as in OpenAI's API and transformers. */
export interface ChatMessage {
  /** Usually "system", "user", "assistant" or "tool". */
  role: string;
  /** Null or missing only if there are `tool_calls`. */
  content?: ChatContent | null;
  /** Any other field that the template reads, such as `tool_calls` or `reasoning_content`. */
  [field: string]: unknown;
}

/**
 * The messages as templates read them: content is a text, or null with tool calls. Throws
 * INVALID_ARGUMENT, naming message and part, for anything else.
 */
export function checkMessages(messages: readonly ChatMessage[]): Record<string, unknown>[] {
  if (!Array.isArray(messages)) throw invalid("messages", "an array", messages);
  return Array.from(messages as readonly unknown[], (message, i) => {
    const name = `messages[${i}]`;
    if (!isObject(message)) throw invalid(name, "an object", message);
    // Read once: each may be a getter, of the message itself or of its class.
    const { role, content, tool_calls: calls } = message;
    if (typeof role !== "string") throw invalid(`${name}.role`, "a string", role);
    const text = contentOf(content, calls, `${name}.content`);
    return {
      ...message,
      role,
      ...(text !== undefined && { content: text }),
      ...(calls !== undefined && { tool_calls: calls }),
    };
  });
}

/** The content as a text; null or undefined is kept if there are tool calls. */
function contentOf(content: unknown, calls: unknown, name: string): string | null | undefined {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) {
    return Array.from(content, (part: unknown, i) => textOf(part, `${name}[${i}]`)).join("\n");
  }
  const hasCalls = Array.isArray(calls) && calls.length > 0;
  if (hasCalls && (content === null || content === undefined)) return content;
  throw invalid(name, "a string, or an array of text parts", content);
}

/** A copy of a content that later changes of its parts do not affect. */
export function copyContent(content: ChatContent): ChatContent {
  if (!Array.isArray(content)) return content;
  return Array.from(content as readonly unknown[], (part) =>
    isObject(part) ? { ...part, type: part.type, text: part.text } : part,
  ) as ChatTextPart[];
}

function textOf(part: unknown, name: string): string {
  const expected = 'a part { type: "text", text }';
  if (!isObject(part)) throw invalid(name, expected, part);
  const { type, text } = part;
  if (type !== "text") {
    const got = typeof type === "string" ? `type ${quote(type)}` : "no type";
    throw new PlmError("INVALID_ARGUMENT", `${name}: expected ${expected}, got ${got}`);
  }
  if (typeof text !== "string") throw invalid(`${name}.text`, "a string", text);
  return text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(name: string, expected: string, value: unknown): PlmError {
  const kind = Array.isArray(value) ? "array" : typeof value;
  const got = value === null || value === undefined ? String(value) : `the type ${kind}`;
  return new PlmError("INVALID_ARGUMENT", `${name}: expected ${expected}, got ${got}`);
}
