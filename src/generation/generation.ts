/** One generation: pieces of text to loop over, and the result at the end. */
import { Cancellable } from "../disposable.js";
import { PlmError } from "../errors.js";
import type { TokenLogprob } from "./logprobs.js";
import type { ResolvedOptions } from "./options.js";
import type { FinishReason } from "./stopping-criteria.js";
import type { ToolCall } from "./tool-calls/tools.js";

/** The time of a generation, without the reader's time between pieces. */
export interface GenerationTimings {
  /** Evaluating the prompt. */
  prefillMs: number;
  /** Everything after the prompt: choosing tokens, evaluating and decoding them. */
  decodeMs: number;
  /** Prompt tokens evaluated, a second of prefill; 0 if no time passed. */
  prefillTokensPerSecond: number;
  /** Tokens evaluated after the prompt, a second of decode; 0 if there were none. */
  tokensPerSecond: number;
}

/** The result of a generation. */
export interface GenerationResult {
  /** All pieces joined. */
  text: string;
  /**
   * Of a chat with tools: the calls, which are not part of the text. One that the end of the text
   * cuts short is left out.
   */
  toolCalls?: ToolCall[];
  /** The generated tokens, with those of a stop string and hidden ones, without the end token. */
  tokens: number[];
  /** Tokens of the prompt; in a conversation, without those evaluated before. */
  promptTokens: number;
  /** Of these, the tokens that were not evaluated: rows of another sequence were reused. */
  cachedTokens: number;
  finishReason: FinishReason;
  /** The stop string that ended the text. */
  stop?: string;
  /** The end token that was chosen; it was not evaluated. */
  eosToken?: number;
  /** Pass this to generate the same text again. */
  seed: number;
  /**
   * For each of `tokens`, if requested: log probabilities of the model's own distribution, before
   * penalties, biases, truncation and temperature.
   */
  logprobs?: TokenLogprob[];
  timings: GenerationTimings;
}

/** The loop's record, from which the result is made. */
export interface GenerationRecord {
  text: string;
  toolCalls: ToolCall[] | undefined;
  tokens: number[];
  promptTokens: number;
  cachedTokens: number;
  finishReason: FinishReason | undefined;
  stop: string | undefined;
  eosToken: number | undefined;
  seed: number;
  logprobs: TokenLogprob[] | undefined;
  prefillMs: number;
  decodeMs: number;
  decodedTokens: number;
}

/** An empty record. */
export function createRecord(
  { seed, logprobs }: ResolvedOptions,
  promptTokens = 0,
): GenerationRecord {
  return {
    text: "",
    toolCalls: undefined,
    tokens: [],
    promptTokens,
    cachedTokens: 0,
    finishReason: undefined,
    stop: undefined,
    eosToken: undefined,
    seed,
    logprobs: logprobs > 0 ? [] : undefined,
    prefillMs: 0,
    decodeMs: 0,
    decodedTokens: 0,
  };
}

/**
 * The text as an async iterable of non-empty pieces, to be read once:
 *
 *     for await (const piece of generation) show(piece);
 *     const { finishReason } = await generation.result();
 *
 * Work is done only when pieces are requested. Leaving the loop ends the generation with the reason
 * "cancelled"; an error or an abort rejects the loop and `result()` alike.
 */
export class Generation extends Cancellable implements AsyncIterable<string> {
  /** The seed in use, chosen or given. */
  readonly seed: number;
  readonly #record: GenerationRecord;
  readonly #pieces: AsyncGenerator<string, void>;
  readonly #ended: Promise<GenerationResult>;
  #resolve!: (result: GenerationResult) => void;
  #reject!: (reason: unknown) => void;
  #isRead = false;

  /** `pieces` fills in the record as it is read. */
  constructor(record: GenerationRecord, pieces: AsyncGenerator<string, void>) {
    super();
    this.seed = record.seed;
    this.#record = record;
    this.#pieces = pieces;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The loop's reader has the error; the result need not be read too.
    this.#ended.catch(() => {});
  }

  /** The pieces. Throws PlmError INVALID_ARGUMENT the second time. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    if (this.#isRead) {
      throw new PlmError("INVALID_ARGUMENT", "generation: expected one reader, got a second");
    }
    this.#isRead = true;
    return { next: () => this.#next(), return: () => this.#return() };
  }

  /**
   * The result, once the generation has ended. Reads the pieces to the end, or waits for the reader
   * that has begun.
   */
  async result(): Promise<GenerationResult> {
    if (!this.#isRead) for await (const _ of this);
    return this.#ended;
  }

  /**
   * What there is until now, also of a generation that an error or an abort has ended, for which
   * `result()` rejects. Its finish reason is "cancelled" as long as it has no other.
   */
  soFar(): GenerationResult {
    return toResult(this.#record);
  }

  /**
   * Ends the generation with the reason "cancelled" if it has not ended, after the current piece;
   * its reader gets no more. `await using` calls this at the block's end.
   */
  override async cancel(): Promise<void> {
    this.#isRead = true;
    await this.#return();
  }

  /** The text of `result()`. */
  async text(): Promise<string> {
    return (await this.result()).text;
  }

  async #next(): Promise<IteratorResult<string, undefined>> {
    try {
      const step = await this.#pieces.next();
      if (!step.done) return step;
    } catch (error) {
      this.#reject(error);
      throw error;
    }
    this.#resolve(toResult(this.#record));
    return { done: true, value: undefined };
  }

  async #return(): Promise<IteratorResult<string, undefined>> {
    await this.#pieces.return();
    this.#resolve(toResult(this.#record));
    return { done: true, value: undefined };
  }
}

/** A record without a reason belongs to a generation that was left early. */
function toResult(record: GenerationRecord): GenerationResult {
  const { prefillMs, decodeMs, promptTokens, cachedTokens, decodedTokens } = record;
  return {
    text: record.text,
    ...(record.toolCalls !== undefined && { toolCalls: [...record.toolCalls] }),
    tokens: [...record.tokens],
    promptTokens,
    cachedTokens,
    finishReason: record.finishReason ?? "cancelled",
    ...(record.stop !== undefined && { stop: record.stop }),
    ...(record.eosToken !== undefined && { eosToken: record.eosToken }),
    seed: record.seed,
    ...(record.logprobs !== undefined && { logprobs: [...record.logprobs] }),
    timings: {
      prefillMs,
      decodeMs,
      prefillTokensPerSecond: calculateTokensPerSecond(promptTokens - cachedTokens, prefillMs),
      tokensPerSecond: calculateTokensPerSecond(decodedTokens, decodeMs),
    },
  };
}

/** A rate; 0 without time or tokens. */
function calculateTokensPerSecond(tokens: number, durationMs: number): number {
  return durationMs > 0 ? (1000 * tokens) / durationMs : 0;
}
