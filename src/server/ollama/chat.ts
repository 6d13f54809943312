/** Ollama's `POST /api/chat`. */
import { prepareChat } from "../../generation/chat.js";
import type { ChatMessage } from "../../tokenizer/chat.js";
import type { AnswerContext } from "../answer.js";
import { Fields } from "../fields.js";
import { readTools } from "../openai/tools.js";
import type { Reply } from "../reply.js";
import { readHead, readOllamaFormat, readOllamaLogprobs, readOptions } from "./options.js";
import { loadedReply, ollamaReply, type Say } from "./stream.js";

const say: Say = (content, calls) => ({
  message: { role: "assistant", content, ...(calls.length > 0 && { tool_calls: calls }) },
});

export function ollamaChat(fields: Fields, context: AnswerContext): Reply {
  const { serving } = context;
  readHead(fields, serving);
  const messages = readMessages(fields);
  serving.checkTexts(messages, "messages");
  const stream = fields.flag("stream", true);
  const alternatives = readOllamaLogprobs(fields);
  const options = {
    ...readOptions(fields, serving),
    ...readTools(fields, serving),
    responseFormat: readOllamaFormat(fields),
    ...(alternatives !== undefined && { logprobs: Math.max(1, alternatives) }),
  };
  fields.acceptOnly({ think: [false] }).refuseOthers();
  const { tokenizer } = serving.model;
  if (messages.length === 0) return loadedReply(serving, say);
  const { tokens, options: rest, mayCall } = prepareChat(tokenizer, messages, options);
  serving.checkPrompt(tokens, "messages");
  const choice = { prompt: tokens, options: rest, mayCall };
  return ollamaReply(context, { choice, stream, alternatives, say });
}

/** The messages, without images; `tool_name` is what OpenAI calls `name`. */
function readMessages(fields: Fields): ChatMessage[] {
  return (fields.list("messages") ?? []).map((value, i) => {
    const message = new Fields(value, `messages[${i}]`).acceptOnly({ images: [[]] });
    const { images: _, thinking: __, tool_name, tool_calls, ...rest } = value as ChatMessage;
    message.accept("thinking");
    return {
      ...rest,
      ...(typeof tool_name === "string" && { name: tool_name }),
      ...(Array.isArray(tool_calls) && tool_calls.length > 0 && { tool_calls }),
    };
  });
}
