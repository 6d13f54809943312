/** Chat templates: a list of messages to the text that a model was trained on. */
import { Template } from "@huggingface/jinja";
import { PlmError, reasonOf } from "../errors.js";

/** One turn of a conversation. Templates may read further fields. */
export interface ChatMessage {
  /** Usually "system", "user" or "assistant". */
  role: string;
  content: string;
}

/** Variables of a chat template. */
export interface ChatOptions {
  /** Whether the text ends with the opening of an assistant's turn; false by default. */
  addGenerationPrompt?: boolean;
  /** Anything else that the template reads, such as `tools` or `bos_token`, under its own name. */
  [variable: string]: unknown;
}

/**
 * The text of a conversation by a Jinja template, as transformers' `apply_chat_template` renders it
 * (`trim_blocks`, `lstrip_blocks`). Throws INVALID_ARGUMENT if the template is not Jinja or refuses
 * the messages. Message contents are not escaped: special tokens in them are parsed as such when
 * the result is encoded with `special`.
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatOptions = {},
): string {
  const { addGenerationPrompt = false, ...variables } = options;
  try {
    return new Template(template).render({
      ...variables,
      messages,
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (cause) {
    throw new PlmError("INVALID_ARGUMENT", `chat template: ${reasonOf(cause)}`, { cause });
  }
}
