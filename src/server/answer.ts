/** Generations of one request, at the same time, as one stream of events. */

import type { Generation, GenerationResult } from "../generation/generation.js";
import type { TokenLogprob } from "../generation/logprobs.js";
import type { GenerateOptions } from "../generation/options.js";
import type { ToolCallEvent } from "../generation/tool-calls/call-reader.js";
import { ToolCallParser } from "../generation/tool-calls/parser.js";
import { requireGlobal } from "../globals.js";
import type { Ticket } from "./admission.js";
import { KeptSession } from "./kept-session.js";
import { LogprobReader } from "./logprob-reader.js";
import type { Serving, TokenCounts } from "./serving.js";

/** One of the answers to a request. */
export interface Choice {
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
  /** The session that it goes on with, where sessions are kept. */
  readonly sessionId?: string | undefined;
  /** Whether calls of tools are taken out of its text. */
  readonly mayCall?: boolean;
}

/** What comes of a choice. */
export type AnswerEvent = { readonly index: number } & (
  | { readonly type: "text"; readonly text: string; readonly logprobs: readonly TokenLogprob[] }
  | { readonly type: "call"; readonly call: Exclude<ToolCallEvent, { type: "text" }> }
  | {
      readonly type: "end";
      readonly result: GenerationResult;
      readonly finish: Finish;
      readonly logprobs: readonly TokenLogprob[];
    }
);

/** Why an answer ended, in OpenAI's words. */
export type Finish = "stop" | "length" | "tool_calls";

/** What the answers to a request need. */
export interface AnswerContext {
  readonly serving: Serving;
  readonly signal: AbortSignal;
  readonly counts: TokenCounts;
}

/**
 * The events of all choices as they come. Rejects before the first if there are too many, and with
 * what a generation rejects with; then, and if it is left early, the others end too.
 */
export async function* answer(
  { serving, signal, counts }: AnswerContext,
  choices: readonly Choice[],
): AsyncGenerator<AnswerEvent, void> {
  const tickets = serving.admission.reserve(choices.length);
  counts.promptTokens = countPrompts(choices);
  const controller = new (requireGlobal("AbortController"))();
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const context = { serving, signal: controller.signal, counts };
  const sources = choices.map((choice, index) => {
    const isFirst = choices.findIndex(({ prompt }) => prompt === choice.prompt) === index;
    return runChoice(context, choice, { index, isFirst, ticket: tickets[index] });
  });
  try {
    yield* merge(sources, () => controller.abort());
  } finally {
    signal.removeEventListener("abort", abort);
    for (const ticket of tickets) ticket.end();
  }
}

/** Tokens of the prompts; one that several choices have counts once. */
export function countPrompts(choices: readonly Choice[]): number {
  const prompts = new Set(choices.map(({ prompt }) => prompt));
  return [...prompts].reduce((sum, { length }) => sum + length, 0);
}

/** A choice's place among all. */
interface Place {
  readonly index: number;
  /** Whether it is the first with its prompt. */
  readonly isFirst: boolean;
  readonly ticket: Ticket;
}

async function* runChoice(
  { serving, signal, counts }: AnswerContext,
  choice: Choice,
  { index, isFirst, ticket }: Place,
): AsyncGenerator<AnswerEvent, void> {
  const { options, mayCall = false } = choice;
  const { generation, kept } = await begin(serving, choice, signal, ticket);
  const whole = (result: GenerationResult): GenerationResult => kept?.whole(result) ?? result;
  const { logprobs: wanted = 0 } = options;
  const reader = new LogprobReader(serving.model.tokenizer);
  const take = (): readonly TokenLogprob[] => (wanted > 0 ? reader.take(generation.soFar()) : []);
  const parser = mayCall ? new ToolCallParser() : undefined;
  let calls = 0;
  const toEvents = function* (found: readonly ToolCallEvent[]): Generator<AnswerEvent> {
    for (const event of found) {
      if (event.type === "start") calls++;
      if (event.type !== "text") yield { index, type: "call", call: event };
      else yield { index, type: "text", text: event.text, logprobs: take() };
    }
  };
  try {
    for await (const text of generation) {
      if (parser === undefined) yield { index, type: "text", text, logprobs: take() };
      else yield* toEvents(parser.push(text));
    }
    if (parser !== undefined) yield* toEvents(parser.end());
    const result = whole(await generation.result());
    const finish = finishOf(result, calls > 0);
    await kept?.save(signal);
    yield { index, type: "end", result, finish, logprobs: take() };
  } catch (error) {
    serving.noteFailure(error);
    throw error;
  } finally {
    await generation.cancel();
    await kept?.close();
    const result = whole(generation.soFar());
    serving.metrics.addGeneration(result);
    if (isFirst) counts.cachedTokens += result.cachedTokens;
    counts.completionTokens += result.tokens.length;
    if (kept !== undefined) {
      counts.session = kept.outcome;
      serving.metrics.addSession(kept.outcome);
    }
    ticket.end();
  }
}

/** Begins a choice's generation when it may run, in the session that it goes on with. */
async function begin(
  { model, sessions }: Serving,
  { prompt, options, sessionId }: Choice,
  signal: AbortSignal,
  ticket: Ticket,
): Promise<{ generation: Generation; kept: KeptSession | undefined }> {
  const isKept = sessions !== undefined && sessionId !== undefined;
  // A turn of the session may last; it takes no place of others.
  const kept = isKept ? await KeptSession.open(sessions, sessionId, signal) : undefined;
  try {
    await ticket.start(signal);
    const all = { ...options, signal };
    const generation = kept?.generate(model, prompt, all) ?? model.generate(prompt, all);
    return { generation: await generation, kept };
  } catch (error) {
    await kept?.close();
    throw error;
  }
}

function finishOf({ finishReason }: GenerationResult, hasCalls: boolean): Finish {
  if (finishReason === "length") return "length";
  return hasCalls ? "tool_calls" : "stop";
}

/** What the sources yield, as it comes. `onEnd` makes those end that are not over. */
async function* merge<T>(
  sources: readonly AsyncGenerator<T, void>[],
  onEnd: () => void,
): AsyncGenerator<T, void> {
  type Step = { readonly source: AsyncGenerator<T, void>; readonly step: IteratorResult<T, void> };
  const pending = new Map<AsyncGenerator<T, void>, Promise<Step>>();
  const pull = (source: AsyncGenerator<T, void>): void => {
    const next = source.next().then((step) => ({ source, step }));
    // It may reject while nobody waits for it.
    next.catch(() => {});
    pending.set(source, next);
  };
  for (const source of sources) pull(source);
  try {
    while (pending.size > 0) {
      const { source, step } = await Promise.race(pending.values());
      if (step.done) {
        pending.delete(source);
        continue;
      }
      // The next comes while this one is sent.
      pull(source);
      yield step.value;
    }
  } finally {
    onEnd();
    await Promise.allSettled(pending.values());
    await Promise.allSettled(sources.map((source) => source.return()));
  }
}
