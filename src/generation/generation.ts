/** One generation as its reader sees it: pieces of text to loop over, and the result at the end. */
import { Cancellable } from "../disposable.js";
import { PlmError } from "../errors.js";
import type { TokenLogprob } from "./logprobs.js";
import type { ResolvedOptions } from "./options.js";
import type { FinishReason } from "./stopping-criteria.js";

/** How long a generation took, without the time that the reader spent between pieces. */
export interface GenerationTimings {
  /** Evaluating the prompt. */
  prefillMs: number;
  /** All after that: choosing tokens, evaluating them, turning them into text. */
  decodeMs: number;
  /** Prompt tokens a second of prefill; 0 if no time passed. */
  prefillTokensPerSecond: number;
  /** Tokens evaluated after the prompt, a second of decode; 0 if there were none. */
  tokensPerSecond: number;
}

/** What a generation came to. */
export interface GenerationResult {
  /** All pieces joined. */
  text: string;
  /** The generated tokens: those of a stop string and hidden ones included, the end token not. */
  tokens: number[];
  /** How many tokens the prompt had; in a conversation, those that were not evaluated before. */
  promptTokens: number;
  finishReason: FinishReason;
  /** The stop string that ended the text. */
  stop?: string;
  /** The end token that was chosen; it was not evaluated. */
  eosToken?: number;
  /** Give this to have the same text again. */
  seed: number;
  /**
   * For each of `tokens`, if asked for: log probabilities of the model's own distribution, before
   * penalties, biases, truncation and temperature.
   */
  logprobs?: TokenLogprob[];
  timings: GenerationTimings;
}

/** What the loop writes down as it goes; becomes the result. */
export interface GenerationRecord {
  text: string;
  tokens: number[];
  promptTokens: number;
  finishReason: FinishReason | undefined;
  stop: string | undefined;
  eosToken: number | undefined;
  seed: number;
  logprobs: TokenLogprob[] | undefined;
  prefillMs: number;
  decodeMs: number;
  decodedTokens: number;
}

/** A record of nothing yet. */
export function createRecord(
  { seed, logprobs }: ResolvedOptions,
  promptTokens = 0,
): GenerationRecord {
  return {
    text: "",
    tokens: [],
    promptTokens,
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
 * Work is done only as pieces are asked for. Leaving the loop ends the generation with the reason
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
    // Whoever reads the loop has the error already; nobody need read the result too.
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
   * The result, once the generation has ended. If nobody has begun to read it, reads it to its end;
   * otherwise waits for whoever does.
   */
  async result(): Promise<GenerationResult> {
    if (!this.#isRead) for await (const _ of this);
    return this.#ended;
  }

  /**
   * Ends the generation with the reason "cancelled" if it has not ended, after the piece that is
   * being made; whoever reads it gets no further one. `await using` calls it at the block's end.
   */
  override async cancel(): Promise<void> {
    this.#isRead = true;
    await this.#return();
  }

  /** The whole text; as `result()`. */
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

/** A record that has no reason yet belongs to a generation that was left early. */
function toResult(record: GenerationRecord): GenerationResult {
  const { prefillMs, decodeMs, promptTokens, decodedTokens } = record;
  return {
    text: record.text,
    tokens: record.tokens,
    promptTokens,
    finishReason: record.finishReason ?? "cancelled",
    ...(record.stop !== undefined && { stop: record.stop }),
    ...(record.eosToken !== undefined && { eosToken: record.eosToken }),
    seed: record.seed,
    ...(record.logprobs !== undefined && { logprobs: record.logprobs }),
    timings: {
      prefillMs,
      decodeMs,
      prefillTokensPerSecond: calculateTokensPerSecond(promptTokens, prefillMs),
      tokensPerSecond: calculateTokensPerSecond(decodedTokens, decodeMs),
    },
  };
}

/** 0 where there is nothing to divide: no time, or no token. */
function calculateTokensPerSecond(tokens: number, durationMs: number): number {
  return durationMs > 0 ? (1000 * tokens) / durationMs : 0;
}
