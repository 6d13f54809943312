/** What a session is to its users, wherever its engine runs. */
import type { Disposable } from "../disposable.js";
import type { OwnBytes } from "../web-types.js";
import type { EvaluateOptions } from "./evaluation.js";

/** Options of `Session.save`. */
export interface SaveOptions {
  signal?: AbortSignal;
}

/** A save that has begun: the session as it was then. */
export interface StartedSave {
  /** All bytes. An abort rejects with its reason. */
  bytes(signal: AbortSignal | undefined): Promise<OwnBytes>;
  /** The bytes in pieces of some megabytes, as they are read. */
  stream(): ReadableStream<Uint8Array>;
  /** Gives up what is kept for it; after `bytes`, and at the stream's end, nothing is. */
  end(): void;
}

/** One sequence being evaluated. Made by the model's `createSession` or by `fork`. */
export interface Session extends Disposable {
  readonly contextLength: number;
  /** Tokens that the model knows. */
  readonly vocabSize: number;
  /** Tokens evaluated so far. */
  readonly length: number;
  /** The tokens evaluated so far, a copy. */
  readonly tokens: Uint32Array;
  /**
   * Tokens of the last `evaluate` that were not evaluated: the rows that another sequence has
   * computed for the same tokens were reused.
   */
  readonly cachedTokens: number;

  /**
   * Appends tokens to the sequence. Resolves to f32[vocabSize], the logits after the last token, or
   * f32[tokens.length, vocabSize] with `logits: "all"`, or f32[0] with "none"; with `hidden`, to
   * hidden states instead.
   *
   * Throws INVALID_ARGUMENT, EMPTY_PROMPT, INVALID_TOKEN, CONTEXT_FULL, SESSION_BUSY or DISPOSED;
   * the session is then as before. CACHE_FULL and THREAD_LOST keep the tokens that were done, and
   * so does an abort, which rejects with the signal's reason.
   */
  evaluate(tokens: ArrayLike<number>, options?: EvaluateOptions): Promise<Float32Array>;

  /**
   * A session with the same tokens, which goes its own way. Nothing is evaluated or copied: the two
   * share their pages of the cache until one of them writes to a page. Throws SESSION_BUSY or
   * DISPOSED.
   */
  fork(): Session;

  /**
   * The session as bytes, which `restoreSession` of the same model takes in any runtime, on any
   * number of threads. It may go on meanwhile. Throws SESSION_BUSY or DISPOSED; an abort rejects
   * with the signal's reason.
   */
  save(options?: SaveOptions): Promise<OwnBytes>;

  /** What `save` resolves to, in pieces of some megabytes as they are read. Throws as `save`. */
  saveStream(): ReadableStream<Uint8Array>;

  /** Begins a save; a conversation's has its messages as text. Throws as `save`. */
  startSave(messages?: string): StartedSave;

  /** Forgets every token from position `length` on. Throws INVALID_ARGUMENT beyond the sequence. */
  truncate(length: number): void;

  /** Gives the session's pages back to the model. Further calls throw DISPOSED. */
  dispose(): void;
}
