/** The tokens that a branch of a conversation is for a model. */
import { applyChatTemplate, type ChatMessage, type Model, renderChat } from "plm-wasm";
import type { Turn } from "../conversations/tree.js";

/**
 * Whether a model answers in turns: it has a template in which a question differs from an answer.
 * Others continue a text.
 */
export function isChatModel({ tokenizer }: Model): boolean {
  const template = tokenizer.chatTemplate;
  if (template === undefined) return false;
  const render = (role: string): string => renderChat(template, [{ role, content: "x" }]);
  try {
    return render("user") !== render("assistant");
  } catch {
    return true; // The template insists on an order of roles.
  }
}

/** The tokens up to an answer of the model. Throws as `applyChatTemplate` does. */
export function promptTokens(model: Model, path: readonly Turn[], system: string): number[] {
  const { tokenizer } = model;
  if (!isChatModel(model)) return tokenizer.encode(textOf(path), { addBos: true });
  const first: ChatMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  const messages = path.map(({ role, text }): ChatMessage => ({ role, content: text }));
  const text = applyChatTemplate(tokenizer, [...first, ...messages]);
  return tokenizer.encode(text, { special: true, addBos: true });
}

/** The text that the turns are together; what is typed begins a word of its own. */
function textOf(path: readonly Turn[]): string {
  return path.reduce((text, turn) => {
    const isApart = turn.role === "user" && text !== "" && !/\s$/.test(text);
    return text + (isApart && !/^\s/.test(turn.text) ? " " : "") + turn.text;
  }, "");
}
