/** `POST /v1/completions`: goes on with texts. */
import type { GenerationResult } from "../../generation/generation.js";
import type { GenerateOptions } from "../../generation/options.js";
import { type AnswerContext, type AnswerEvent, answer, type Finish } from "../answer.js";
import type { Fields } from "../fields.js";
import { readPrompts } from "../prompts.js";
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
import { toLegacy } from "./logprobs.js";
import { readResponseFormat } from "./response-format.js";

interface TextRequest extends CompletionRequest {
  /** What the text of each choice begins with: its prompt, if that is to be repeated. */
  readonly echoes: readonly string[];
}

export function completions(fields: Fields, context: AnswerContext): Reply {
  const { serving } = context;
  serving.checkModel(fields.text("model"));
  const { stream, hasUsage } = readStreaming(fields);
  const request: TextRequest = {
    ...readCompletion(fields, serving),
    hasUsage,
    head: createHead("cmpl-", "text_completion", serving),
    serving,
  };
  const events = answer(context, request.choices);
  if (stream) return { events: toChunks(request, events), form: "sse" };
  return { events: collect(request, events), form: "json" };
}

function readCompletion(
  fields: Fields,
  serving: Serving,
): Pick<TextRequest, "choices" | "echoes" | "alternatives"> {
  const { tokenizer } = serving.model;
  const prompts = readPrompts(fields, "prompt", serving);
  const n = fields.integer("n", 1, MOST_ANSWERS) ?? 1;
  const echo = fields.flag("echo");
  const alternatives = readAlternatives(fields);
  if (echo && alternatives !== undefined) {
    throw fields.wrong("echo", "no logprobs beside it: those of a prompt are not supported");
  }
  const responseFormat = readResponseFormat(fields);
  const options: GenerateOptions = {
    ...readSampling(fields, ["max_tokens", "n_predict"]),
    ...(responseFormat !== undefined && { responseFormat }),
    ...(alternatives !== undefined && { logprobs: Math.max(1, alternatives) }),
  };
  fields.acceptOnly({ suffix: [""] });
  const sessionId = readSessionId(fields, n * prompts.length);
  acceptHarmless(fields);
  fields.refuseOthers();
  for (const prompt of prompts) serving.checkPrompt(prompt, "prompt");
  const choices = prompts.flatMap((prompt) =>
    Array.from({ length: n }, (_, i) => {
      return { prompt, options: optionsOfChoice(options, i), sessionId };
    }),
  );
  const echoes = choices.map(({ prompt }) => (echo ? tokenizer.decode(prompt) : ""));
  return { choices, echoes, alternatives };
}

/** `logprobs`: the number of alternatives; also `true`, as chat completions have it. */
function readAlternatives(fields: Fields): number | undefined {
  const value = fields.take("logprobs");
  if (value === false) return undefined;
  if (value === true) return fields.integer("top_logprobs", 0, MOST_ALTERNATIVES) ?? 0;
  return fields.integer("logprobs", 0, MOST_ALTERNATIVES);
}

/** The whole answer. */
async function* collect(
  { choices, echoes, alternatives, head, serving }: TextRequest,
  events: AsyncIterable<AnswerEvent>,
): AsyncGenerator<object, void> {
  const { tokenizer } = serving.model;
  const texts = [...echoes];
  const ends: { finish?: Finish; result?: GenerationResult }[] = choices.map(() => ({}));
  const logprobs = choices.map(
    () => [] as Extract<AnswerEvent, { type: "end" }>["logprobs"][number][],
  );
  for await (const event of events) {
    if (event.type === "call") continue;
    logprobs[event.index].push(...event.logprobs);
    if (event.type === "text") texts[event.index] += event.text;
    else ends[event.index] = event;
  }
  const results = ends.map(({ result }) => result);
  yield {
    ...head,
    choices: texts.map((text, index) => ({
      index,
      text,
      logprobs:
        alternatives === undefined ? null : toLegacy(tokenizer, logprobs[index], alternatives, 0),
      finish_reason: ends[index].finish,
    })),
    usage: usageOf(countTokens(choices, results)),
    ...(results.length === 1 && { timings: timingsOf(results[0]!) }),
  };
}

/** The answer in pieces. */
async function* toChunks(
  { choices, echoes, alternatives, hasUsage, head, serving }: TextRequest,
  events: AsyncIterable<AnswerEvent>,
): AsyncGenerator<object, void> {
  const { tokenizer } = serving.model;
  const results: (GenerationResult | undefined)[] = choices.map(() => undefined);
  const lengths = choices.map(() => 0);
  const chunk = (index: number, text: string, rest: object = {}): object => ({
    ...head,
    choices: [{ index, text, logprobs: null, finish_reason: null, ...rest }],
    ...(hasUsage && { usage: null }),
  });
  const begun = new Set<number>();
  for await (const event of events) {
    const { index } = event;
    if (event.type === "call") continue;
    if (!begun.has(index) && echoes[index] !== "") yield chunk(index, echoes[index]);
    begun.add(index);
    const logprobs =
      alternatives === undefined
        ? null
        : toLegacy(tokenizer, event.logprobs, alternatives, lengths[index]);
    if (event.type === "text") {
      lengths[index] += event.text.length;
      yield chunk(index, event.text, { logprobs });
    } else {
      results[index] = event.result;
      const timings = choices.length === 1 ? { timings: timingsOf(event.result) } : {};
      yield { ...chunk(index, "", { logprobs, finish_reason: event.finish }), ...timings };
    }
  }
  if (!hasUsage) return;
  yield { ...head, choices: [], usage: usageOf(countTokens(choices, results)) };
}
