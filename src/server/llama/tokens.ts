/** llama-server's `POST /tokenize`, `/detokenize` and `/apply-template`. */

import { messagesWithTools } from "../../generation/tool-calls/messages.js";
import { resolveTools } from "../../generation/tool-calls/tools.js";
import { requireGlobal } from "../../globals.js";
import { applyChatTemplate } from "../../tokenizer/chat.js";
import type { Tokenizer } from "../../tokenizer/tokenizer.js";
import type { AnswerContext } from "../answer.js";
import type { Fields } from "../fields.js";
import { readMessages, readTemplate } from "../openai/chat.js";
import { readTools } from "../openai/tools.js";
import type { Reply } from "../reply.js";

export function tokenize(fields: Fields, { serving }: AnswerContext): Reply {
  const { tokenizer } = serving.model;
  const content = fields.text("content") ?? "";
  const addBos = fields.flag("add_special");
  const special = fields.flag("parse_special", true);
  const hasPieces = fields.flag("with_pieces");
  fields.accept("model").refuseOthers();
  const tokens: (number | object)[] = tokenizer.encode(content, { special, addBos });
  if (!hasPieces) return { body: { tokens } };
  return {
    body: { tokens: tokens.map((id) => ({ id, piece: pieceOf(tokenizer, id as number) })) },
  };
}

export function detokenize(fields: Fields, { serving }: AnswerContext): Reply {
  const tokens = fields.list("tokens") ?? [];
  fields.accept("model").refuseOthers();
  if (!tokens.every(Number.isInteger)) throw fields.wrong("tokens", "an array of token ids");
  return { body: { content: serving.model.tokenizer.decode(tokens as number[]) } };
}

export function applyTemplate(fields: Fields, { serving }: AnswerContext): Reply {
  const { tokenizer } = serving.model;
  const messages = readMessages(fields, serving);
  const template = readTemplate(fields);
  const { tools, choice } = resolveTools(readTools(fields, serving));
  fields.accept("model").refuseOthers();
  const offered = choice === "none" ? [] : tools;
  const put = messagesWithTools(tokenizer, messages, offered, template);
  const prompt = applyChatTemplate(tokenizer, put.messages, {
    ...template,
    ...(put.tools !== undefined && { tools: put.tools }),
  });
  return { body: { prompt } };
}

/** A token's text; its bytes where they are no whole characters. */
function pieceOf(tokenizer: Tokenizer, id: number): string | number[] {
  const bytes = tokenizer.tokenBytes(id);
  try {
    const decoder = new (requireGlobal("TextDecoder"))("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch {
    return Array.from(bytes);
  }
}
