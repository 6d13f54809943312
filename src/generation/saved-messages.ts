/** The messages of a conversation as the text that is saved beside its session. */
import { describeValue } from "../describe.js";
import { invalidArgument, PlmError, reasonOf } from "../errors.js";
import { type ChatMessage, checkMessages } from "../tokenizer/messages.js";

/** Messages as JSON. Throws INVALID_ARGUMENT for what is no message or JSON cannot hold. */
export function encodeMessages(messages: readonly ChatMessage[]): string {
  checkMessages(messages);
  try {
    return JSON.stringify(messages);
  } catch (cause) {
    throw invalidArgument("messages", "what JSON can hold", reasonOf(cause), { cause });
  }
}

/**
 * Messages from JSON. Throws UNSUPPORTED_FILE where a session has none, INVALID_FILE for a text
 * that is no array of messages.
 */
export function decodeMessages(text: string | undefined): ChatMessage[] {
  if (text === undefined) {
    const message = "session: expected a conversation, got a session without messages";
    throw new PlmError("UNSUPPORTED_FILE", message);
  }
  const messages = parse(text);
  try {
    checkMessages(messages);
  } catch (cause) {
    throw new PlmError("INVALID_FILE", `session: ${reasonOf(cause)}`, { cause });
  }
  return messages;
}

function parse(text: string): ChatMessage[] {
  try {
    return JSON.parse(text) as ChatMessage[];
  } catch (cause) {
    const message = `session: messages: expected JSON, got ${describeValue(text)}`;
    throw new PlmError("INVALID_FILE", message, { cause });
  }
}
