/** A generation as the parts of an AI SDK stream. */
import type { Generation, GenerationResult } from "../generation/generation.js";
import type { ToolCallEvent } from "../generation/tool-calls/call-reader.js";
import { ToolCallParser } from "../generation/tool-calls/parser.js";
import type {
  FinishPart,
  FinishReason,
  JsonObject,
  JsonValue,
  StreamPart,
  Usage,
} from "./specification.js";

/** How an answer is read. */
export interface AnswerOptions {
  /** Whether it may have calls of tools. */
  readonly mayCall: boolean;
  /** Whether every piece of the model's text is a part too. */
  readonly hasRaw: boolean;
}

/** The parts of an answer, from its first text or call to `finish`. */
export async function* partsOf(
  generation: Generation,
  { mayCall, hasRaw }: AnswerOptions,
): AsyncGenerator<StreamPart, void> {
  const parser = new ToolCallParser();
  const blocks = new Blocks();
  const read = (piece: string): ToolCallEvent[] =>
    mayCall ? parser.push(piece) : [{ type: "text", text: piece }];
  for await (const piece of generation) {
    if (hasRaw) yield { type: "raw", rawValue: piece };
    for (const event of read(piece)) yield* blocks.partsOf(event);
  }
  for (const event of parser.end()) yield* blocks.partsOf(event);
  yield* blocks.end();
  yield finishOf(await generation.result(), blocks.hasCalls);
}

/** Blocks of text and of a call's input follow each other, each with a start and an end. */
class Blocks {
  hasCalls = false;
  #open: { readonly type: "text" | "tool-input"; readonly id: string } | undefined;
  #texts = 0;

  *partsOf(event: ToolCallEvent): Generator<StreamPart> {
    switch (event.type) {
      case "text":
        if (this.#open === undefined) {
          this.#open = { type: "text", id: `text-${this.#texts++}` };
          yield { type: "text-start", id: this.#open.id };
        }
        yield { type: "text-delta", id: this.#open.id, delta: event.text };
        return;
      case "start":
        yield* this.end();
        this.#open = { type: "tool-input", id: event.id };
        yield { type: "tool-input-start", id: event.id, toolName: event.name };
        return;
      case "arguments":
        yield { type: "tool-input-delta", id: this.#open!.id, delta: event.text };
        return;
      case "call": {
        yield* this.end();
        this.hasCalls = true;
        const { name: toolName, arguments: input } = event.call.function;
        yield { type: "tool-call", toolCallId: event.call.id, toolName, input };
      }
    }
  }

  /** Ends the block that is open: that of a call which is cut short, too. */
  *end(): Generator<StreamPart> {
    if (this.#open === undefined) return;
    yield { type: `${this.#open.type}-end`, id: this.#open.id };
    this.#open = undefined;
  }
}

function finishOf(result: GenerationResult, hasCalls: boolean): FinishPart {
  const { finishReason, seed, timings, logprobs } = result;
  const plm: JsonObject = { seed, timings: { ...timings } };
  if (logprobs !== undefined) plm.logprobs = logprobs as unknown as JsonValue;
  return {
    type: "finish",
    finishReason: { unified: unifiedReason(result, hasCalls), raw: finishReason },
    usage: usageOf(result),
    providerMetadata: { plm },
  };
}

function unifiedReason(
  { finishReason }: GenerationResult,
  hasCalls: boolean,
): FinishReason["unified"] {
  if (finishReason === "length") return "length";
  if (finishReason === "cancelled") return "other";
  return hasCalls ? "tool-calls" : "stop";
}

function usageOf({ promptTokens, cachedTokens, tokens }: GenerationResult): Usage {
  return {
    inputTokens: {
      total: promptTokens,
      noCache: promptTokens - cachedTokens,
      cacheRead: cachedTokens,
      cacheWrite: undefined,
    },
    outputTokens: { total: tokens.length, text: tokens.length, reasoning: undefined },
  };
}

/** The end of a stream that failed. */
export function failedFinish(): FinishPart {
  return {
    type: "finish",
    finishReason: { unified: "error", raw: undefined },
    usage: {
      inputTokens: {
        total: undefined,
        noCache: undefined,
        cacheRead: undefined,
        cacheWrite: undefined,
      },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    },
  };
}
