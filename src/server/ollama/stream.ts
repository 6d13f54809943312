/** Ollama's answers: a stream of objects of which the last has the counts, or one with all. */
import type { GenerationResult } from "../../generation/generation.js";
import type { TokenLogprob } from "../../generation/logprobs.js";
import { type AnswerContext, type AnswerEvent, answer, type Choice } from "../answer.js";
import { toContent } from "../openai/logprobs.js";
import type { Reply } from "../reply.js";
import type { Serving } from "../serving.js";

/** A call of a tool as Ollama has it. */
export interface OllamaCall {
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/** What an object says besides model, time and counts. */
export type Say = (text: string, calls: readonly OllamaCall[]) => object;

/** How an answer is made. */
export interface OllamaAnswer {
  readonly choice: Choice;
  readonly stream: boolean;
  /** Alternatives of each token; undefined without log probabilities. */
  readonly alternatives: number | undefined;
  readonly say: Say;
  /** Fields of the last object. */
  readonly last?: (result: GenerationResult) => object;
}

export function ollamaReply(context: AnswerContext, request: OllamaAnswer): Reply {
  const { serving } = context;
  const events = answer(context, [request.choice]);
  const startMs = serving.clock.now();
  if (request.stream)
    return { events: toObjects(serving, request, events, startMs), form: "ndjson" };
  return { events: collect(serving, request, events, startMs), form: "json" };
}

/** The object of a request that asks for nothing but a loaded model. */
export function loadedReply(serving: Serving, say: Say): Reply {
  return { body: { ...headOf(serving), ...say("", []), done: true, done_reason: "load" } };
}

async function* toObjects(
  serving: Serving,
  request: OllamaAnswer,
  events: AsyncIterable<AnswerEvent>,
  startMs: number,
): AsyncGenerator<object, void> {
  const { say } = request;
  for await (const event of events) {
    if (event.type === "call") {
      const calls = callsOf(event);
      if (calls.length > 0) yield { ...headOf(serving), ...say("", calls), done: false };
      continue;
    }
    const logprobs = logprobsOf(serving, request, event.logprobs);
    if (event.type === "text") {
      yield { ...headOf(serving), ...say(event.text, []), ...logprobs, done: false };
    } else {
      const end = endOf(serving, request, event, startMs);
      yield { ...headOf(serving), ...say("", []), ...logprobs, ...end };
    }
  }
}

async function* collect(
  serving: Serving,
  request: OllamaAnswer,
  events: AsyncIterable<AnswerEvent>,
  startMs: number,
): AsyncGenerator<object, void> {
  let text = "";
  const calls: OllamaCall[] = [];
  const logprobs: TokenLogprob[] = [];
  for await (const event of events) {
    if (event.type === "call") {
      calls.push(...callsOf(event));
      continue;
    }
    logprobs.push(...event.logprobs);
    if (event.type === "text") text += event.text;
    else {
      const shown = logprobsOf(serving, request, logprobs);
      const end = endOf(serving, request, event, startMs);
      yield { ...headOf(serving), ...request.say(text, calls), ...shown, ...end };
    }
  }
}

function headOf({ modelName, clock }: Serving): object {
  return { model: modelName, created_at: new Date(clock.date()).toISOString() };
}

/** A call that is complete, its arguments as an object. */
function callsOf({ call }: AnswerEvent & { type: "call" }): OllamaCall[] {
  if (call.type !== "call") return [];
  const { name, arguments: args } = call.call.function;
  return [{ function: { name, arguments: JSON.parse(args) } }];
}

function logprobsOf(
  { model }: Serving,
  { alternatives }: OllamaAnswer,
  logprobs: readonly TokenLogprob[],
): object {
  if (alternatives === undefined || logprobs.length === 0) return {};
  return { logprobs: toContent(model.tokenizer, logprobs, alternatives) };
}

/** Why it ended, and the counts; durations in nanoseconds. */
function endOf(
  { clock }: Serving,
  { last }: OllamaAnswer,
  { result, finish }: AnswerEvent & { type: "end" },
  startMs: number,
): object {
  const { promptTokens, tokens, timings } = result;
  return {
    done: true,
    done_reason: finish === "length" ? "length" : "stop",
    ...last?.(result),
    total_duration: nanoseconds(clock.now() - startMs),
    load_duration: 0,
    prompt_eval_count: promptTokens,
    prompt_eval_duration: nanoseconds(timings.prefillMs),
    eval_count: tokens.length,
    eval_duration: nanoseconds(timings.decodeMs),
  };
}

export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
