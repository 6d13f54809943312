/** Ollama's `POST /api/generate`. */
import type { ChatMessage } from "../../tokenizer/chat.js";
import { applyChatTemplate } from "../../tokenizer/chat.js";
import type { Tokenizer } from "../../tokenizer/tokenizer.js";
import type { AnswerContext } from "../answer.js";
import type { Fields } from "../fields.js";
import type { Reply } from "../reply.js";
import { readHead, readOllamaFormat, readOllamaLogprobs, readOptions } from "./options.js";
import { loadedReply, ollamaReply, type Say } from "./stream.js";

const say: Say = (response) => ({ response });

export function ollamaGenerate(fields: Fields, context: AnswerContext): Reply {
  const { serving } = context;
  readHead(fields, serving);
  const stream = fields.flag("stream", true);
  const alternatives = readOllamaLogprobs(fields);
  const responseFormat = readOllamaFormat(fields);
  const options = {
    ...readOptions(fields, serving),
    ...(responseFormat !== undefined && { responseFormat }),
    ...(alternatives !== undefined && { logprobs: Math.max(1, alternatives) }),
  };
  serving.checkTexts([fields.take("system"), fields.take("prompt")], "prompt");
  const prompt = readPrompt(fields, serving.model.tokenizer);
  fields.acceptOnly({ think: [false], suffix: [""], template: [""], images: [[]] });
  fields.refuseOthers();
  if (prompt === undefined) return loadedReply(serving, say);
  serving.checkPrompt(prompt, "prompt");
  return ollamaReply(context, {
    choice: { prompt, options },
    ...{ stream, alternatives, say },
    // What `context` of the next request goes on from.
    last: ({ tokens }) => ({ context: [...prompt, ...tokens] }),
  });
}

/** The tokens: the prompt as a user's message unless `raw`, after those of `context`. */
function readPrompt(fields: Fields, tokenizer: Tokenizer): number[] | undefined {
  const text = fields.text("prompt") ?? "";
  const system = fields.text("system") ?? "";
  const isRaw = fields.flag("raw");
  const context = fields.list("context") ?? [];
  const { vocabSize, chatTemplate, namedChatTemplates } = tokenizer;
  const isToken = (id: unknown): boolean =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  if (!context.every(isToken)) throw fields.wrong("context", "token ids of an earlier answer");
  if (text === "") return undefined;
  const hasTemplate = chatTemplate !== undefined || namedChatTemplates.default !== undefined;
  const before = context as number[];
  if (isRaw || !hasTemplate) {
    if (system !== "") throw fields.wrong("system", "a chat template beside it, and not raw");
    return [...before, ...tokenizer.encode(text, { addBos: before.length === 0 })];
  }
  const messages: ChatMessage[] = [{ role: "user", content: text }];
  if (system !== "") messages.unshift({ role: "system", content: system });
  const put = applyChatTemplate(tokenizer, messages);
  return [...before, ...tokenizer.encode(put, { special: true, addBos: before.length === 0 })];
}
