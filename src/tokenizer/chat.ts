/** Chat templates: a list of messages to the text that a model was trained on. */
import { PlmError } from "../errors.js";
import { renderTemplate, TemplateFailure } from "./jinja/template.js";
import { type ChatMessage, checkMessages } from "./messages.js";

export type { ChatContent, ChatMessage, ChatTextPart } from "./messages.js";

/** Variables of a chat template. */
export interface ChatOptions {
  /** Whether the text ends with the opening of an assistant's turn; false by default. */
  addGenerationPrompt?: boolean;
  /** Anything else that the template reads, such as `tools` or `bos_token`, under its own name. */
  [variable: string]: unknown;
}

/** What rendering takes from outside besides its input. */
export interface ChatEnvironment {
  /** Milliseconds since 1970, for templates that print the date. Default: Date.now. */
  now?: () => number;
}

/**
 * The text of a conversation by a Jinja template, as transformers' `apply_chat_template` renders it
 * (Jinja2's sandbox, `trim_blocks`, `lstrip_blocks`, loop controls, `generation` blocks). Message
 * contents are not escaped: special tokens in them are parsed as such when the result is encoded
 * with `special`.
 *
 * Throws INVALID_ARGUMENT if the messages are not as they must be, and if the template is not
 * Jinja, refuses the messages, uses what is not supported, or does more than a template may; the
 * message names the line.
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  { addGenerationPrompt = false, ...variables }: ChatOptions = {},
  { now = Date.now }: ChatEnvironment = {},
): string {
  const all = {
    add_generation_prompt: addGenerationPrompt,
    ...variables,
    messages: checkMessages(messages),
  };
  try {
    return renderTemplate(template, all, () => new Date(now()));
  } catch (cause) {
    if (!(cause instanceof TemplateFailure)) throw cause;
    const place = cause.line === undefined ? "" : `, line ${cause.line}`;
    const message = `chat template${place}: ${cause.message}`;
    throw new PlmError("INVALID_ARGUMENT", message, { cause });
  }
}

/** How messages are put to a model. Names are those of transformers' `apply_chat_template`. */
export interface ChatTemplateOptions {
  /** A Jinja chat template instead of the file's. */
  chatTemplate?: string;
  /** Tools that the model may call, as JSON schemas; the template's `tools`, None by default. */
  tools?: readonly object[];
  /** Documents to answer from; the template's `documents`, None by default. */
  documents?: readonly object[];
  /** Whether the text ends with the opening of an assistant's turn; true by default. */
  addGenerationPrompt?: boolean;
  /**
   * More variables under the template's own names, such as `{ enable_thinking: false }`: JSON
   * values, or a Map where the order of keys that look like integers counts. They go before all
   * others of the same name.
   */
  chatTemplateKwargs?: Readonly<Record<string, unknown>>;
}

/** What a template takes from a tokenizer. */
export interface ChatTokenizer {
  readonly chatTemplate: string | undefined;
  /** Texts of special tokens by the template's names: `bos_token`, `eos_token`, ... */
  readonly specialTokensMap: Readonly<Record<string, string>>;
}

/** The options' template or the file's. Throws INVALID_ARGUMENT where neither has one. */
export function chatTemplateOf(tokenizer: ChatTokenizer, chatTemplate?: string): string {
  const template: unknown = chatTemplate ?? tokenizer.chatTemplate;
  if (typeof template === "string") return template;
  if (template !== undefined) {
    const message = `chatTemplate: expected a string, got ${typeof template}`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  throw new PlmError("INVALID_ARGUMENT", "chat: expected a chat template, the file has none");
}

/**
 * The text that `Model.chat` puts to the model: `renderChat` with the tokenizer's template and
 * special tokens. Encode it with `special`. Throws INVALID_ARGUMENT as that does, and where there
 * is no template.
 */
export function applyChatTemplate(
  tokenizer: ChatTokenizer,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
  environment: ChatEnvironment = {},
): string {
  const { tools = null, documents = null, addGenerationPrompt = true } = options;
  const template = chatTemplateOf(tokenizer, options.chatTemplate);
  const variables = {
    ...tokenizer.specialTokensMap,
    tools,
    documents,
    add_generation_prompt: addGenerationPrompt,
    ...checkKwargs(options.chatTemplateKwargs ?? {}),
  };
  return renderChat(template, messages, variables, environment);
}

function checkKwargs(kwargs: unknown): object {
  if (typeof kwargs !== "object" || kwargs === null || Array.isArray(kwargs)) {
    const got = Array.isArray(kwargs) ? "an array" : typeof kwargs;
    const message = `chatTemplateKwargs: expected an object of variables, got ${got}`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  if (!("messages" in kwargs)) return kwargs;
  const message = "chatTemplateKwargs: expected no variable of the name messages, got one";
  throw new PlmError("INVALID_ARGUMENT", message);
}
