/** Prompts as the specification validates them, and as messages of a chat. */
import { kindOf } from "../describe.js";
import type { ChatMessage } from "../tokenizer/chat.js";
import { domException } from "./errors.js";
import type { LanguageModelMessage, LanguageModelPrompt } from "./specification.js";

/** A prompt: whole messages, and the text that the answer begins with. */
export interface PromptInput {
  readonly messages: ChatMessage[];
  readonly prefix: string;
}

/**
 * Validates a prompt; with `hasBefore`, there are messages before it. Throws TypeError, and
 * DOMExceptions: NotSupportedError for what is no text, SyntaxError for a misplaced prefix.
 */
export function inputOf(prompt: LanguageModelPrompt, hasBefore: boolean): PromptInput {
  if (typeof prompt === "string") return ofUser(prompt);
  if (!Array.isArray(prompt)) {
    throw new TypeError(`input: expected a text or an array of messages, got ${kindOf(prompt)}`);
  }
  if (prompt.length === 0) return ofUser("");
  const messages: ChatMessage[] = [];
  let prefix: string | undefined;
  for (const [i, message] of (prompt as LanguageModelMessage[]).entries()) {
    const { role } = Object(message) as LanguageModelMessage;
    if (!["system", "user", "assistant"].includes(role)) {
      throw new TypeError(`input[${i}].role: expected "system", "user" or "assistant"`);
    }
    if (role === "system" && (hasBefore || i > 0)) {
      throw new TypeError(`input[${i}]: expected a system message before all others`);
    }
    const content = textOf(message.content, `input[${i}].content`);
    if (message.prefix !== true) {
      messages.push({ role, content });
    } else if (role === "assistant" && i === prompt.length - 1) {
      prefix = content;
    } else {
      const expected = "a prefix only in a last message of the assistant";
      throw domException("SyntaxError", `input[${i}]: expected ${expected}`);
    }
  }
  return { messages, prefix: prefix ?? "" };
}

function ofUser(content: string): PromptInput {
  return { messages: [{ role: "user", content }], prefix: "" };
}

/** The text of a content; texts that follow each other are joined. */
function textOf(content: LanguageModelMessage["content"], at: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    throw new TypeError(`${at}: expected a text or an array of parts, got ${kindOf(content)}`);
  }
  const texts = Array.from(content, (part, i) => {
    const { type, value } = Object(part) as { type?: unknown; value?: unknown };
    if (typeof type !== "string") throw new TypeError(`${at}[${i}].type: expected a string`);
    if (type !== "text") {
      throw domException("NotSupportedError", `${at}[${i}]: expected a text, got type "${type}"`);
    }
    if (typeof value === "string") return value;
    throw new TypeError(`${at}[${i}].value: expected a string, got ${kindOf(value)}`);
  });
  return texts.join("");
}
