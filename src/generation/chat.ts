/** A chat as what is evaluated: its tokens, and the form of the answer. */
import { checkOptions } from "../brands.js";
import {
  applyChatTemplate,
  type ChatMessage,
  type ChatTemplateOptions,
} from "../tokenizer/chat.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { GenerateOptions } from "./options.js";
import type { ResponseFormat } from "./response-format.js";
import { formatOfCalls } from "./tool-calls/call-format.js";
import { messagesWithTools } from "./tool-calls/messages.js";
import { resolveTools, type ToolCallOptions } from "./tool-calls/tools.js";

/** Options of `Model.chat`: those of `generate`, how the template is filled, and tools. */
export interface ChatGenerateOptions
  extends GenerateOptions,
    Omit<ChatTemplateOptions, "tools">,
    ToolCallOptions {}

/** A chat, ready for `generate`. */
export interface PreparedChat {
  readonly tokens: number[];
  /** The options of `generate`: the format allows calls, or requires them. */
  readonly options: GenerateOptions;
  /** Whether the answer may have calls, which a ToolCallParser finds in it. */
  readonly mayCall: boolean;
}

/**
 * What is evaluated for an answer to the last message. Throws INVALID_ARGUMENT as
 * `applyChatTemplate` does, for wrong tools, and for a format that cannot be beside them.
 */
export function prepareChat(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: ChatGenerateOptions,
): PreparedChat {
  checkOptions(options);
  const { tools, toolChoice, parallelToolCalls, ...others } = options;
  const { chatTemplate, documents, addGenerationPrompt, chatTemplateKwargs, ...rest } = others;
  const resolved = resolveTools(options);
  const offered = resolved.choice === "none" ? [] : resolved.tools;
  const variables = { chatTemplate, documents, addGenerationPrompt, chatTemplateKwargs };
  const template = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined),
  );
  const put = messagesWithTools(tokenizer, messages, offered, template);
  const text = applyChatTemplate(tokenizer, put.messages, {
    ...template,
    ...(put.tools !== undefined && { tools: put.tools }),
  });
  const responseFormat: ResponseFormat | undefined = formatOfCalls(resolved, rest.responseFormat);
  return {
    tokens: tokenizer.encode(text, { special: true, addBos: true }),
    options: { ...rest, ...(responseFormat !== undefined && { responseFormat }) },
    mayCall: offered.length > 0,
  };
}
