/** The input of `POST /v1/responses` as messages. */
import { kindOf } from "../../../describe.js";
import type { ChatContent, ChatMessage } from "../../../tokenizer/chat.js";
import { Fields } from "../../fields.js";
import { badField } from "../../http-error.js";

/** The messages of `instructions` and `input`. Throws HttpError 400, naming the item. */
export function readInput(fields: Fields): ChatMessage[] {
  const instructions = fields.text("instructions");
  const input = fields.take("input");
  const messages: ChatMessage[] = [];
  if (instructions !== undefined) messages.push({ role: "system", content: instructions });
  if (typeof input === "string") return [...messages, { role: "user", content: input }];
  if (!Array.isArray(input) || input.length === 0) {
    throw fields.wrong("input", "a text or an array of at least one item");
  }
  input.forEach((item: unknown, i) => {
    const message = toMessage(new Fields(item, `input[${i}]`), `input[${i}]`);
    const last = messages.at(-1);
    // Calls follow the text that came before them, in one message.
    if (message.tool_calls && last?.role === "assistant") {
      const calls = [
        ...((last.tool_calls as unknown[]) ?? []),
        ...(message.tool_calls as unknown[]),
      ];
      messages[messages.length - 1] = { ...last, tool_calls: calls };
    } else messages.push(message);
  });
  return messages;
}

function toMessage(item: Fields, at: string): ChatMessage {
  item.accept("id", "status");
  const type = item.text("type") ?? "message";
  if (type === "message") {
    const role = item.text("role");
    if (role === undefined) throw item.wrong("role", "a role");
    const content = toContent(item.take("content"), `${at}.content`);
    item.refuseOthers();
    return { role: role === "developer" ? "system" : role, content };
  }
  const id = item.text("call_id");
  if (type === "function_call") {
    const call = { name: item.text("name"), arguments: item.text("arguments") };
    item.refuseOthers();
    return {
      role: "assistant",
      content: null,
      tool_calls: [{ id, type: "function", function: call }],
    };
  }
  if (type === "function_call_output") {
    const content = toContent(item.take("output"), `${at}.output`);
    item.refuseOthers();
    return { role: "tool", tool_call_id: id, content };
  }
  throw item.wrong("type", '"message", "function_call" or "function_call_output"');
}

/** A text, or parts of it in any of the shapes that a response has. */
function toContent(content: unknown, at: string): ChatContent {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw badField(at, "a text or an array of parts", kindOf(content));
  return content.map((part: unknown, i) => {
    const { type, text } = Object(part) as { type?: unknown; text?: unknown };
    const isText = type === "input_text" || type === "output_text" || type === "text";
    if (isText && typeof text === "string") return { type: "text", text };
    throw badField(`${at}[${i}]`, "a part of the type input_text or output_text", kindOf(part));
  });
}
