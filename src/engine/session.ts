/**
 * A session: one sequence of tokens, its place in the context, and the checks around the forward
 * pass. Cheap: it holds pages of the cache for the tokens that it has, and nothing else.
 */

import platform from "#platform";
import { checkOptions, checkSignal } from "../brands.js";
import type { CacheSequence } from "../cache/sequence.js";
import { describeValue, kindOf } from "../describe.js";
import { Disposable } from "../disposable.js";
import { invalidArgument, PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import { disposedOf, endWhenDropped } from "./dropped.js";
import type { Engine } from "./engine.js";
import { type EvaluateOptions, type ResolvedEvaluation, resolveEvaluation } from "./evaluation.js";
import { Saving } from "./save.js";

/** Options of `Session.save`. */
export interface SaveOptions {
  signal?: AbortSignal;
}

/** What a session works on. */
export interface SessionParts {
  readonly engine: Engine;
  readonly contextLength: number;
  readonly batchSize: number;
}

/** One sequence being evaluated. Made by the model's `createSession` or by `fork`. */
export class Session extends Disposable {
  readonly contextLength: number;
  readonly #parts: SessionParts;
  readonly #sequence: CacheSequence;
  /** The tokens of the sequence's rows; longer than it. */
  #tokens: Uint32Array;
  #busy = false;
  #disposed = false;

  /** Of a sequence that is the session's own, and its tokens. */
  constructor(parts: SessionParts, sequence: CacheSequence, tokens: Uint32Array) {
    super();
    this.#parts = parts;
    this.#sequence = sequence;
    this.#tokens = tokens;
    this.contextLength = parts.contextLength;
    endWhenDropped(this, () => sequence.dispose());
  }

  /** Tokens that the model knows. */
  get vocabSize(): number {
    return this.#parts.engine.config.vocabSize;
  }

  /** Tokens evaluated so far. */
  get length(): number {
    return this.#sequence.length;
  }

  /** The tokens evaluated so far, a copy. */
  get tokens(): Uint32Array {
    return this.#tokens.slice(0, this.length);
  }

  /**
   * Appends tokens to the sequence. Resolves to f32[vocabSize], the logits after the last token, or
   * f32[tokens.length, vocabSize] with `logits: "all"`, or f32[0] with "none"; with `hidden`, to
   * hidden states instead.
   *
   * Throws INVALID_ARGUMENT, EMPTY_PROMPT, INVALID_TOKEN, CONTEXT_FULL, SESSION_BUSY or DISPOSED;
   * the session is then as before. CACHE_FULL and THREAD_LOST keep the chunks that were done, and
   * so does an abort, which rejects with the signal's reason.
   */
  async evaluate(tokens: ArrayLike<number>, options: EvaluateOptions = {}): Promise<Float32Array> {
    const checked = this.#check(tokens);
    checkOptions(options);
    const { engine, batchSize } = this.#parts;
    const resolved = resolveEvaluation(options, checked.length, engine.config, batchSize);
    resolved.signal?.throwIfAborted();
    this.#busy = true;
    try {
      await this.#run(checked, resolved);
      return resolved.out;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * A session with the same tokens, which goes its own way. Nothing is evaluated or copied: the two
   * share their pages of the cache until one of them writes to a page. Throws SESSION_BUSY or
   * DISPOSED.
   */
  fork(): Session {
    this.#checkUsable();
    return new Session(this.#parts, this.#sequence.fork(), this.tokens);
  }

  /**
   * The session as bytes, which `restoreSession` of the same model takes in any runtime, on any
   * number of threads. It may go on meanwhile. Throws SESSION_BUSY or DISPOSED; an abort rejects
   * with the signal's reason.
   */
  async save(options: SaveOptions = {}): Promise<OwnBytes> {
    checkOptions(options);
    const signal = checkSignal(options.signal);
    return this.saving().bytes(signal);
  }

  /** What `save` resolves to, in pieces of some megabytes as they are read. Throws as `save`. */
  saveStream(): ReadableStream<Uint8Array> {
    const Stream = requireGlobal("ReadableStream");
    return this.saving().stream(Stream);
  }

  /** A save that has begun; a conversation's has its messages as text. Throws as `save`. */
  saving(messages?: string): Saving {
    this.#checkUsable();
    const { fingerprint, cacheType } = this.#parts.engine.snapshotModel;
    const { tokens } = this;
    return new Saving({ model: fingerprint, cacheType, tokens, messages }, this.#sequence);
  }

  /** Forgets every token from position `length` on. Throws INVALID_ARGUMENT beyond the sequence. */
  truncate(length: number): void {
    this.#checkUsable();
    if (!(Number.isInteger(length) && length >= 0 && length <= this.length)) {
      const expected = `an integer from 0 to ${this.length}`;
      throw invalidArgument("length", expected, describeValue(length));
    }
    this.#sequence.truncate(length);
  }

  /** Gives the session's pages back to the model. Further calls throw DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disposedOf(this);
    this.#sequence.dispose();
  }

  async #run(tokens: Uint32Array, evaluation: ResolvedEvaluation): Promise<void> {
    const { kind, choice, width, out, step, phase, signal } = evaluation;
    const { engine } = this.#parts;
    const { length: outLength } = out;
    for (let first = 0; first < tokens.length; first += step) {
      if (first > 0) {
        await platform.yieldToEventLoop();
        signal?.throwIfAborted();
        this.#checkDisposed();
      }
      const chunk = tokens.subarray(first, first + step);
      const isWanted = choice === "last" && first + step >= tokens.length;
      // Meanwhile its buffer may have been transferred.
      if (out.length !== outLength) throw invalidArgument("out", "to stay in place", kindOf(out));
      // What decoding goes on from is exact.
      const outputs =
        choice === "all"
          ? { kind, phase, rows: Array.from(chunk, (_, row) => row) }
          : { kind, phase: "decode" as const, rows: isWanted ? [chunk.length - 1] : [] };
      const target = choice === "all" ? out.subarray(first * width) : out;
      engine.evaluate({ tokens: chunk, sequence: this.#sequence, phase }, outputs, target);
      this.#keep(chunk);
    }
    await platform.yieldToEventLoop();
  }

  /** Keeps the tokens of the sequence's last rows. */
  #keep(chunk: Uint32Array): void {
    const { length } = this;
    if (length > this.#tokens.length) {
      const grown = new Uint32Array(Math.max(length, 2 * this.#tokens.length));
      grown.set(this.#tokens);
      this.#tokens = grown;
    }
    this.#tokens.set(chunk, length - chunk.length);
  }

  /** A copy of the tokens, which are looked at once: what is checked is what is evaluated. */
  #check(tokens: ArrayLike<number>): Uint32Array {
    this.#checkUsable();
    const length: unknown = tokens?.length;
    if (!(Number.isSafeInteger(length) && (length as number) >= 0)) {
      throw invalidArgument("tokens", "an array of token ids", kindOf(tokens));
    }
    this.#checkRoom(length as number);
    const copy = new Uint32Array(length as number);
    for (let i = 0; i < copy.length; i++) {
      const token = tokens[i];
      if (!(Number.isInteger(token) && token >= 0 && token < this.vocabSize)) {
        const expected = `token ids from 0 to ${this.vocabSize - 1}`;
        const message = `evaluate: expected ${expected}, got ${token} at ${i}`;
        throw new PlmError("INVALID_TOKEN", message, { argument: "tokens" });
      }
      copy[i] = token;
    }
    return copy;
  }

  #checkRoom(count: number): void {
    if (count === 0) throw new PlmError("EMPTY_PROMPT", "evaluate: expected tokens, got none");
    const room = this.contextLength - this.length;
    if (count <= room) return;
    const use = `(context ${this.contextLength}, in use ${this.length})`;
    const message = `evaluate: expected at most ${room} more tokens ${use}, got ${count}`;
    throw new PlmError("CONTEXT_FULL", message);
  }

  #checkUsable(): void {
    this.#checkDisposed();
    if (this.#busy) {
      throw new PlmError("SESSION_BUSY", "session: expected one call at a time, got a second");
    }
  }

  #checkDisposed(): void {
    if (this.#disposed) {
      throw new PlmError("DISPOSED", "session: expected a live session, got a disposed one");
    }
  }
}
