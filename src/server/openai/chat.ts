/** `POST /v1/chat/completions`. */
import { prepareChat } from "../../generation/chat.js";
import type { GenerationResult } from "../../generation/generation.js";
import type { ToolCall } from "../../generation/tool-calls/tools.js";
import type { ChatMessage } from "../../tokenizer/chat.js";
import { type AnswerContext, type AnswerEvent, answer, type Finish } from "../answer.js";
import type { Fields } from "../fields.js";
import type { Reply } from "../reply.js";
import { optionsOfChoice, readSampling } from "../sampling.js";
import type { Serving } from "../serving.js";
import { countTokens, timingsOf, usageOf } from "../timings.js";
import {
  type CompletionRequest,
  createHead,
  MOST_ALTERNATIVES,
  MOST_ANSWERS,
} from "./completion.js";
import { acceptHarmless, readSessionId, readStreaming } from "./harmless.js";
import { toContent } from "./logprobs.js";
import { readResponseFormat } from "./response-format.js";
import { readTools } from "./tools.js";

export function chatCompletions(fields: Fields, context: AnswerContext): Reply {
  const { serving } = context;
  serving.checkModel(fields.text("model"));
  const { stream, hasUsage } = readStreaming(fields);
  const object = stream ? "chat.completion.chunk" : "chat.completion";
  const request: CompletionRequest = {
    ...readChat(fields, serving),
    hasUsage,
    head: createHead("chatcmpl-", object, serving),
    serving,
  };
  const events = answer(context, request.choices);
  if (stream) return { events: toChunks(request, events), form: "sse" };
  return { events: collect(request, events), form: "json" };
}

/** The choices of a request, and its log probabilities. */
function readChat(
  fields: Fields,
  serving: Serving,
): Pick<CompletionRequest, "choices" | "alternatives"> {
  const { model } = serving;
  const n = fields.integer("n", 1, MOST_ANSWERS) ?? 1;
  const hasLogprobs = fields.flag("logprobs");
  const top = fields.integer("top_logprobs", 0, MOST_ALTERNATIVES);
  if (top !== undefined && top > 0 && !hasLogprobs) {
    throw fields.wrong("top_logprobs", "logprobs: true beside it");
  }
  const prepared = prepareChat(model.tokenizer, readMessages(fields, serving), {
    ...readSampling(fields, ["max_completion_tokens", "max_tokens", "n_predict"]),
    ...readTools(fields, serving),
    ...readTemplate(fields),
    ...{ responseFormat: readResponseFormat(fields) },
    ...(hasLogprobs && { logprobs: Math.max(1, top ?? 0) }),
  });
  const sessionId = readSessionId(fields, n);
  acceptHarmless(fields);
  fields.refuseOthers();
  const { tokens: prompt, options, mayCall } = prepared;
  serving.checkPrompt(prompt, "messages");
  const choices = Array.from({ length: n }, (_, i) => {
    return { prompt, options: optionsOfChoice(options, i), mayCall, sessionId };
  });
  return { choices, alternatives: hasLogprobs ? (top ?? 0) : undefined };
}

/** The messages; "developer" is a later name of "system". */
export function readMessages(fields: Fields, serving: Serving): readonly ChatMessage[] {
  const messages = fields.list("messages");
  if (messages === undefined || messages.length === 0) {
    throw fields.wrong("messages", "an array of at least one message");
  }
  serving.checkTexts(messages, "messages");
  return messages.map((message) => {
    const { role } = Object(message) as { role?: unknown };
    return role === "developer" ? { ...Object(message), role: "system" } : message;
  }) as ChatMessage[];
}

/** llama-server's fields about the template. */
export function readTemplate(fields: Fields): object {
  const kwargs = fields.take("chat_template_kwargs");
  const addGenerationPrompt = fields.take("add_generation_prompt");
  fields.names.set("chatTemplateKwargs", "chat_template_kwargs");
  if (addGenerationPrompt !== undefined) fields.flag("add_generation_prompt");
  return {
    ...(kwargs !== undefined && { chatTemplateKwargs: kwargs }),
    ...(addGenerationPrompt !== undefined && { addGenerationPrompt }),
  };
}

/** What a choice has come to. */
interface Collected {
  text: string;
  readonly calls: ToolCall[];
  readonly content: object[];
  finish: Finish | undefined;
  result: GenerationResult | undefined;
}

/** The whole answer. */
async function* collect(
  { choices, alternatives, head, serving }: CompletionRequest,
  events: AsyncIterable<AnswerEvent>,
): AsyncGenerator<object, void> {
  const { tokenizer } = serving.model;
  const collected = choices.map(
    (): Collected => ({ text: "", calls: [], content: [], finish: undefined, result: undefined }),
  );
  for await (const event of events) {
    const choice = collected[event.index];
    if (event.type === "call") {
      if (event.call.type === "call") choice.calls.push(event.call.call);
      continue;
    }
    choice.content.push(...toContent(tokenizer, event.logprobs, alternatives ?? 0));
    if (event.type === "text") choice.text += event.text;
    else Object.assign(choice, { finish: event.finish, result: event.result });
  }
  const results = collected.map(({ result }) => result);
  yield {
    ...head,
    choices: collected.map(({ text, calls, content, finish }, index) => ({
      index,
      message: {
        role: "assistant",
        content: text === "" && calls.length > 0 ? null : text,
        refusal: null,
        ...(calls.length > 0 && { tool_calls: calls }),
      },
      logprobs: alternatives === undefined ? null : { content, refusal: null },
      finish_reason: finish,
    })),
    usage: usageOf(countTokens(choices, results)),
    ...(results.length === 1 && { timings: timingsOf(results[0]!) }),
  };
}

/** The answer in pieces. */
async function* toChunks(
  { choices, alternatives, hasUsage, head, serving }: CompletionRequest,
  events: AsyncIterable<AnswerEvent>,
): AsyncGenerator<object, void> {
  const { tokenizer } = serving.model;
  const results: (GenerationResult | undefined)[] = choices.map(() => undefined);
  const begun = new Set<number>();
  const chunk = (index: number, delta: object, rest: object = {}): object => ({
    ...head,
    choices: [{ index, delta, logprobs: null, finish_reason: null, ...rest }],
    ...(hasUsage && { usage: null }),
  });
  for await (const event of events) {
    const { index } = event;
    const logprobs =
      alternatives === undefined || event.type === "call"
        ? null
        : { content: toContent(tokenizer, event.logprobs, alternatives), refusal: null };
    if (!begun.has(index)) {
      begun.add(index);
      yield chunk(index, { role: "assistant", content: "", refusal: null });
    }
    if (event.type === "text") yield chunk(index, { content: event.text }, { logprobs });
    else if (event.type === "call") {
      const delta = toDelta(event.call);
      if (delta !== undefined) yield chunk(index, { tool_calls: [delta] });
    } else {
      results[index] = event.result;
      const timings = choices.length === 1 ? { timings: timingsOf(event.result) } : {};
      yield { ...chunk(index, {}, { logprobs, finish_reason: event.finish }), ...timings };
    }
  }
  if (!hasUsage) return;
  yield { ...head, choices: [], usage: usageOf(countTokens(choices, results)) };
}

/** A piece of a call; nothing for its end. */
function toDelta(call: (AnswerEvent & { type: "call" })["call"]): object | undefined {
  const { index } = call;
  if (call.type === "start") {
    const { id, name } = call;
    return { index, id, type: "function", function: { name, arguments: "" } };
  }
  if (call.type === "arguments") return { index, function: { arguments: call.text } };
  return undefined;
}
