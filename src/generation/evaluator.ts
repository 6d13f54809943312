/** What generation needs of a model and of a tokenizer: two small interfaces. */
import type { TokenTexts } from "../grammar/token-order.js";
import type { Phase } from "../model/batch.js";
import type { IncrementalDecoder } from "../tokenizer/decoder.js";
import type { DecodeOptions } from "../tokenizer/tokenizer.js";

/** What `generate` passes to an evaluator, which may ignore all of it. */
export interface EvaluatorOptions {
  /** Prefill for a prompt of several tokens, decode for one. */
  readonly phase: Phase;
  /** The logits of the last call: an array that may be reused. */
  readonly out?: Float32Array;
  readonly signal?: AbortSignal | undefined;
}

/** One sequence of tokens being evaluated: a session of the model. */
export interface Evaluator {
  /** Length of the logits; token ids are 0..vocabSize - 1. */
  readonly vocabSize: number;
  /** Most tokens that the sequence may have. */
  readonly contextLength: number;
  /** Tokens evaluated so far. */
  readonly length: number;
  /**
   * The `length` tokens evaluated so far. The repetition penalty looks back on them, and refuses an
   * evaluator that has evaluated tokens but does not list them.
   */
  readonly tokens?: ArrayLike<number>;
  /** Tokens of the last call that were reused and not evaluated; none where it is missing. */
  readonly cachedTokens?: number;
  /**
   * Appends tokens. Resolves to f32[vocabSize], the logits after the last; valid until the next
   * call.
   *
   * Throws PlmError INVALID_TOKEN, EMPTY_PROMPT or CONTEXT_FULL. An abort rejects with the signal's
   * reason and leaves `length` at what was fully evaluated. Aborts arrive only while the event loop
   * runs: implementations that compute synchronously let it run between tokens.
   */
  evaluate(tokens: ArrayLike<number>, options?: EvaluatorOptions): Promise<Float32Array>;
  /**
   * Runs the loop of `generate` where the tokens are evaluated, if that is elsewhere: in a worker.
   * Internal.
   */
  readonly generateElsewhere?: (
    loop: { prompt: readonly number[]; options: unknown; phase: Phase },
    signal: AbortSignal | undefined,
  ) => AsyncGenerator<{ readonly piece: string | undefined; readonly record: unknown }, void>;
  /** The decoder with which it does. Internal. */
  readonly decoderElsewhere?: unknown;
  /** Forgets every token from position `length` on. */
  truncate(length: number): void;
}

/** What generation needs of the tokenizer. */
export interface TokenDecoder {
  /** A decoder that shows control tokens, or hides them with `special: false`. */
  createDecoder(options?: DecodeOptions): IncrementalDecoder;
  /** The tokens that end a text or a turn. */
  readonly eosTokenIds: ReadonlySet<number>;
  /**
   * The bytes of all tokens' texts; a token that is no text has none. Needed for `responseFormat`.
   */
  tokenTexts?(): TokenTexts;
}
