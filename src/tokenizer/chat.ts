/** Chat templates: a list of messages to the text that a model was trained on. */
import { brandOf, checkOptions } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError, quote } from "../errors.js";
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
  variables: ChatOptions = {},
  environment: ChatEnvironment = {},
): string {
  const { addGenerationPrompt = false, ...others } = checkVariables("variables", variables);
  const all = { add_generation_prompt: addGenerationPrompt, ...others };
  return renderMessages(template, messages, all, environment);
}

/** Renders with the variables as they are, beside `messages`. */
function renderMessages(
  template: string,
  messages: readonly ChatMessage[],
  variables: Readonly<Record<string, unknown>>,
  { now = Date.now }: ChatEnvironment,
): string {
  const all = { ...variables, messages: checkMessages(messages) };
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
  /**
   * A Jinja chat template instead of the file's. Of those, the one named `tool_use` goes before the
   * nameless one where there are `tools`, as in transformers and llama.cpp.
   */
  chatTemplate?: string;
  /** Tools that the model may call, as JSON schemas; the template's `tools`, None by default. */
  tools?: readonly object[];
  /** Documents to answer from; the template's `documents`, None by default. */
  documents?: readonly object[];
  /** Whether the text ends with the opening of an assistant's turn; true by default. */
  addGenerationPrompt?: boolean;
  /**
   * More variables under the template's own names, such as `{ enable_thinking: false }`, as an
   * object or a Map. They are what JSON can hold, or a Map where the order of keys that look like
   * integers counts. They go before all others of the same name; undefined ones are left out.
   */
  chatTemplateKwargs?: Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;
}

/** What a template takes from a tokenizer. */
export interface ChatTokenizer {
  readonly chatTemplate: string | undefined;
  /** The file's templates that have a name, such as `tool_use`. */
  readonly namedChatTemplates?: Readonly<Record<string, string>>;
  /** Texts of special tokens by the template's names: `bos_token`, `eos_token`, ... */
  readonly specialTokensMap: Readonly<Record<string, string>>;
}

/**
 * The options' template or the file's: with tools the one named `tool_use`, else the nameless one,
 * else the one named `default`. Throws INVALID_ARGUMENT where there is none, and for variables that
 * are not as they must be.
 */
export function chatTemplateOf(
  { chatTemplate: nameless, namedChatTemplates: named = {} }: ChatTokenizer,
  options: ChatTemplateOptions,
): string {
  checkOptions(options);
  const { chatTemplate, tools, chatTemplateKwargs } = options;
  const all: { tools?: unknown } = { tools, ...checkKwargs(chatTemplateKwargs) };
  const hasTools = ((all.tools as ArrayLike<unknown> | null | undefined)?.length ?? 0) > 0;
  const forTools = hasTools ? named.tool_use : undefined;
  const template: unknown = chatTemplate ?? forTools ?? nameless ?? named.default;
  if (typeof template === "string") return template;
  if (template !== undefined) {
    throw invalidArgument("chatTemplate", "a string", kindOf(template));
  }
  const names = Object.keys(named).map(quote).join(", ");
  const got = names === "" ? "has none" : `has only those named ${names}`;
  throw new PlmError("INVALID_ARGUMENT", `chat: expected a chat template, the file ${got}`);
}

/**
 * The text that `Model.chat` puts to the model: `renderChat` with the tokenizer's template and
 * special tokens; `bos_token` and `eos_token` are empty where the file names none, as in llama.cpp.
 * Encode it with `special`. Throws INVALID_ARGUMENT as that does, and where there
 * is no template.
 */
export function applyChatTemplate(
  tokenizer: ChatTokenizer,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
  environment: ChatEnvironment = {},
): string {
  const template = chatTemplateOf(tokenizer, options);
  const { tools = null, documents = null, addGenerationPrompt = true } = options;
  const variables = {
    bos_token: "",
    eos_token: "",
    ...tokenizer.specialTokensMap,
    tools,
    documents,
    add_generation_prompt: addGenerationPrompt,
    ...checkKwargs(options.chatTemplateKwargs),
  };
  return renderMessages(template, messages, variables, environment);
}

/**
 * The variables of `chatTemplateKwargs`; none if it is left out. Throws INVALID_ARGUMENT for what
 * is neither an object nor a Map of them, and for a variable of the name `messages`.
 */
export function checkKwargs(kwargs: unknown): Record<string, unknown> {
  const name = "chatTemplateKwargs";
  const variables = checkVariables(name, kwargs ?? {});
  if (!Object.keys(variables).includes("messages")) return variables;
  throw invalidArgument(name, "no variable of the name messages", "one");
}

/** The variables that are not undefined. */
function checkVariables(name: string, variables: unknown): Record<string, unknown> {
  const brand = brandOf(variables);
  if (brand !== "Object" && brand !== "Map") {
    throw invalidArgument(name, "an object of variables", kindOf(variables));
  }
  const isMap = brand === "Map";
  const entries = isMap ? [...(variables as Map<unknown, unknown>)] : Object.entries(variables!);
  const wrong = entries.find(([key]) => typeof key !== "string");
  if (wrong === undefined) {
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  throw invalidArgument(name, "names that are strings", kindOf(wrong[0]));
}
