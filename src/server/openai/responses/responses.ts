/** `POST /v1/responses`: text in, text and calls out. */
import { prepareChat } from "../../../generation/chat.js";
import type { GenerateOptions } from "../../../generation/options.js";
import type { ResponseFormat } from "../../../generation/response-format.js";
import { type AnswerContext, type AnswerEvent, answer, type Choice } from "../../answer.js";
import type { Fields } from "../../fields.js";
import { createIdentifier } from "../../identifiers.js";
import type { Reply } from "../../reply.js";
import { readSampling } from "../../sampling.js";
import type { Serving } from "../../serving.js";
import { countTokens, timingsOf } from "../../timings.js";
import { readTemplate } from "../chat.js";
import { MOST_ALTERNATIVES } from "../completion.js";
import { acceptHarmless, readSessionId } from "../harmless.js";
import { readFormat } from "../response-format.js";
import { readFlatTools } from "../tools.js";
import { readInput } from "./input.js";
import { type ResponseEvent, ResponseWriter } from "./writer.js";

/** What a response is made with. */
interface ResponseRequest {
  readonly choice: Choice;
  readonly alternatives: number | undefined;
  /** Fields of the response that repeat the request's. */
  readonly head: object;
  readonly serving: Serving;
}

export function responses(fields: Fields, context: AnswerContext): Reply {
  const { serving } = context;
  serving.checkModel(fields.text("model"));
  const stream = fields.flag("stream");
  fields.fields("stream_options")?.accept("include_obfuscation").refuseOthers();
  const request = readRequest(fields, serving);
  const events = toEvents(request, answer(context, [request.choice]));
  if (stream) return { events: numbered(events), form: "named-sse" };
  return { events: lastResponse(events), form: "json" };
}

function readRequest(fields: Fields, serving: Serving): ResponseRequest {
  const { tokenizer } = serving.model;
  const echoed = repeated(fields);
  const responseFormat = readTextFormat(fields);
  const alternatives = readAlternatives(fields);
  const messages = readInput(fields);
  serving.checkTexts(messages, "input");
  const prepared = prepareChat(tokenizer, messages, {
    ...readSampling(fields, ["max_output_tokens"]),
    ...readFlatTools(fields, serving),
    ...readTemplate(fields),
    responseFormat,
    ...(alternatives !== undefined && { logprobs: Math.max(1, alternatives) }),
  });
  const sessionId = readSessionId(fields, 1);
  acceptHarmless(fields);
  fields.accept("max_tool_calls").acceptOnly({
    background: [false],
    truncation: ["disabled"],
    reasoning: [{}, { effort: null }, { effort: null, summary: null }],
    previous_response_id: [],
    conversation: [],
    prompt: [],
  });
  fields.refuseOthers();
  serving.checkPrompt(prepared.tokens, "input");
  const { tokens: prompt, options, mayCall } = prepared;
  const choice = { prompt, options, mayCall, sessionId };
  const created = Math.floor(serving.clock.date() / 1000);
  const id = createIdentifier("resp_");
  const model = serving.modelName;
  const head = { id, object: "response", created_at: created, model, ...echoed };
  return { choice, alternatives, head, serving };
}

/** What a response repeats of its request. */
function repeated(fields: Fields): object {
  const format = Object(fields.take("text")).format ?? { type: "text" };
  return {
    background: false,
    error: null,
    instructions: fields.take("instructions") ?? null,
    max_output_tokens: fields.take("max_output_tokens") ?? null,
    metadata: fields.take("metadata") ?? {},
    parallel_tool_calls: fields.take("parallel_tool_calls") ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: "default",
    store: false,
    temperature: fields.take("temperature") ?? null,
    text: { format },
    tool_choice: fields.take("tool_choice") ?? "auto",
    tools: fields.take("tools") ?? [],
    top_logprobs: fields.take("top_logprobs") ?? 0,
    top_p: fields.take("top_p") ?? null,
    truncation: "disabled",
    user: fields.take("user") ?? null,
  };
}

/** `text`: its `format`. */
function readTextFormat(fields: Fields): ResponseFormat | undefined {
  fields.names.set("responseFormat", "text.format");
  const text = fields.fields("text");
  const format = text?.fields("format");
  text?.acceptOnly({ verbosity: ["medium"] }).refuseOthers();
  return format === undefined ? undefined : readFormat(format);
}

/** `top_logprobs`, if `include` asks for log probabilities. */
function readAlternatives(fields: Fields): GenerateOptions["logprobs"] {
  const logprobs = "message.output_text.logprobs";
  const include = fields.list("include") ?? [];
  if (include.some((each) => each !== logprobs)) {
    throw fields.wrong("include", `nothing but ${logprobs}`);
  }
  const top = fields.integer("top_logprobs", 0, MOST_ALTERNATIVES);
  return include.length > 0 || (top ?? 0) > 0 ? (top ?? 0) : undefined;
}

/** The events of a response, from its creation to its end. */
async function* toEvents(
  { choice, alternatives, head, serving }: ResponseRequest,
  events: AsyncGenerator<AnswerEvent, void>,
): AsyncGenerator<ResponseEvent, void> {
  const begun = {
    ...head,
    status: "in_progress",
    incomplete_details: null,
    output: [],
    usage: null,
  };
  const writer = new ResponseWriter(serving.model.tokenizer, alternatives);
  let isBegun = false;
  for await (const event of events) {
    if (!isBegun) {
      isBegun = true;
      yield { type: "response.created", response: begun };
      yield { type: "response.in_progress", response: begun };
    }
    if (event.type === "text") yield* writer.text(event.text, event.logprobs);
    else if (event.type === "call") yield* writer.call(event.call);
    else {
      const { result, finish } = event;
      const status = finish === "length" ? "incomplete" : "completed";
      // An answer has a message at least.
      const isEmpty = writer.output.length === 0 && result.text === "";
      if (isEmpty || event.logprobs.length > 0) yield* writer.text("", event.logprobs);
      yield* writer.finish(status);
      const details = finish === "length" ? { reason: "max_output_tokens" } : null;
      const { output } = writer;
      const { prompt, cached, completion } = countTokens([choice], [result]);
      const usage = {
        ...{ input_tokens: prompt, input_tokens_details: { cached_tokens: cached } },
        ...{ output_tokens: completion, output_tokens_details: { reasoning_tokens: 0 } },
        total_tokens: prompt + completion,
      };
      const timings = timingsOf(result);
      const response = { ...head, status, incomplete_details: details, output, usage, timings };
      yield { type: `response.${status}`, response };
    }
  }
}

async function* numbered(events: AsyncIterable<ResponseEvent>): AsyncGenerator<object, void> {
  let number = 0;
  for await (const event of events) yield { ...event, sequence_number: number++ };
}

/** The response itself, at its end. */
async function* lastResponse(events: AsyncIterable<ResponseEvent>): AsyncGenerator<object, void> {
  let last: unknown;
  for await (const { response } of events) last = response ?? last;
  yield last as object;
}
