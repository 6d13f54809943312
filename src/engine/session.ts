/**
 * A session: one sequence of tokens, its place in the context, and the checks around the forward
 * pass.
 */
import platform from "#platform";
import { brandOf, checkSignal } from "../brands.js";
import type { LatentCache } from "../cache/rows.js";
import { describeValue, kindOf } from "../describe.js";
import { Disposable } from "../disposable.js";
import { invalidArgument, PlmError } from "../errors.js";
import type { AttentionForm } from "../model/attention-form.js";
import { LOGITS_ROWS } from "../model/buffers.js";
import type { Engine } from "./engine.js";

/** Options of `Session.evaluate`. */
export interface EvaluateOptions {
  /** Which logits to return: of the last token (default), of all given tokens, or none. */
  logits?: LogitsChoice;
  /** Where to write the logits; default a fresh array. Its length is that of the result. */
  out?: Float32Array;
  /** Most tokens that go through the model at once; 1 sends every token through decode. */
  chunkSize?: number;
  signal?: AbortSignal;
}

/** Which logits may be asked for. */
const LOGITS_CHOICES = ["last", "all", "none"] as const;
type LogitsChoice = (typeof LOGITS_CHOICES)[number];

/** What a session works on. */
export interface SessionParts {
  readonly engine: Engine;
  readonly vocabSize: number;
  readonly cache: LatentCache;
  readonly batchSize: number;
  readonly attention: AttentionForm;
  /** Called once, when the session is disposed of. */
  readonly release: () => void;
}

/**
 * One sequence being evaluated. Made by the model's `createSession`; `dispose` gives its cache
 * back.
 */
export class Session extends Disposable {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly #parts: SessionParts;
  /** The tokens of the cache's rows; longer than `#length`. */
  #tokens: Uint32Array = new Uint32Array(64);
  #length = 0;
  #busy = false;
  #disposed = false;

  constructor(parts: SessionParts) {
    super();
    this.#parts = parts;
    this.vocabSize = parts.vocabSize;
    this.contextLength = parts.cache.contextLength;
  }

  /** Tokens evaluated so far. */
  get length(): number {
    return this.#length;
  }

  /** The tokens evaluated so far, a copy. */
  get tokens(): Uint32Array {
    return this.#tokens.slice(0, this.#length);
  }

  /**
   * Appends tokens to the sequence. Resolves to f32[vocabSize], the logits after the last token,
   * or f32[tokens.length, vocabSize] with `logits: "all"`, or f32[0] with "none".
   *
   * Throws INVALID_ARGUMENT, EMPTY_PROMPT, INVALID_TOKEN, CONTEXT_FULL, SESSION_BUSY or DISPOSED;
   * the session is then as before; THREAD_LOST, after which the model does nothing more. An abort
   * rejects with the signal's reason and keeps the chunks that were done.
   */
  async evaluate(
    tokens: ArrayLike<number>,
    { logits = "last", out, chunkSize, signal }: EvaluateOptions = {},
  ): Promise<Float32Array> {
    this.#check(tokens);
    const result = this.#result(logits, tokens.length, out);
    const step = this.#chunkSize(chunkSize);
    const checked = checkSignal(signal);
    checked?.throwIfAborted();
    this.#busy = true;
    try {
      await this.#run(Uint32Array.from(tokens), logits, result, { step, signal: checked });
      return result;
    } finally {
      this.#busy = false;
    }
  }

  /** Forgets every token from position `length` on. Throws INVALID_ARGUMENT beyond the sequence. */
  truncate(length: number): void {
    this.#checkUsable();
    if (!(Number.isInteger(length) && length >= 0 && length <= this.#length)) {
      const expected = `an integer from 0 to ${this.#length}`;
      throw invalidArgument("length", expected, describeValue(length));
    }
    this.#length = length;
  }

  /** Gives the session's cache back to the model. Further calls throw DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.release();
  }

  /** The array for the logits that are asked for. */
  #result(logits: LogitsChoice, count: number, out: Float32Array | undefined): Float32Array {
    const rows = LOGITS_CHOICES.includes(logits) ? { last: 1, all: count, none: 0 }[logits] : -1;
    if (rows < 0) {
      throw invalidArgument("logits", LOGITS_CHOICES.join(", "), describeValue(logits));
    }
    const length = rows * this.vocabSize;
    if (out === undefined) return new Float32Array(length);
    if (brandOf(out) === "Float32Array" && out.length === length) return out;
    const got = `${kindOf(out)} of length ${out?.length}`;
    throw invalidArgument("out", `a Float32Array of length ${length}`, got);
  }

  async #run(
    tokens: Uint32Array,
    logits: LogitsChoice,
    result: Float32Array,
    { step, signal }: { step: number; signal: AbortSignal | undefined },
  ): Promise<void> {
    const { engine, cache, attention } = this.#parts;
    for (let first = 0; first < tokens.length; first += step) {
      if (first > 0) {
        await platform.yieldToEventLoop();
        signal?.throwIfAborted();
        this.#checkDisposed();
      }
      const chunk = tokens.subarray(first, first + step);
      engine.forward(chunk, this.#length, cache, attention);
      this.#append(chunk);
      if (logits === "last" && first + step >= tokens.length)
        engine.logits(chunk.length - 1, result);
      if (logits !== "all") continue;
      for (let row = 0; row < chunk.length; row += LOGITS_ROWS) {
        const end = Math.min(row + LOGITS_ROWS, chunk.length);
        const { vocabSize } = this;
        engine.logits(row, result.subarray((first + row) * vocabSize, (first + end) * vocabSize));
      }
    }
    await platform.yieldToEventLoop();
  }

  /** Keeps the tokens of rows that the cache has now. */
  #append(chunk: Uint32Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#tokens.length) {
      const grown = new Uint32Array(Math.max(length, 2 * this.#tokens.length));
      grown.set(this.#tokens);
      this.#tokens = grown;
    }
    this.#tokens.set(chunk, this.#length);
    this.#length = length;
  }

  #check(tokens: ArrayLike<number>): void {
    this.#checkUsable();
    const length: unknown = tokens?.length;
    if (!(Number.isSafeInteger(length) && (length as number) >= 0)) {
      throw invalidArgument("tokens", "an array of token ids", kindOf(tokens));
    }
    this.#checkTokens(tokens);
  }

  #checkTokens(tokens: ArrayLike<number>): void {
    const { length } = tokens;
    if (length === 0) throw new PlmError("EMPTY_PROMPT", "evaluate: expected tokens, got none");
    for (let i = 0; i < length; i++) {
      const token = tokens[i];
      if (!(Number.isInteger(token) && token >= 0 && token < this.vocabSize)) {
        throw new PlmError(
          "INVALID_TOKEN",
          `evaluate: expected token ids from 0 to ${this.vocabSize - 1}, got ${token} at ${i}`,
        );
      }
    }
    if (this.#length + length > this.contextLength) {
      throw new PlmError(
        "CONTEXT_FULL",
        `evaluate: expected at most ${this.contextLength - this.#length} more tokens ` +
          `(context ${this.contextLength}, in use ${this.#length}), got ${length}`,
      );
    }
  }

  #chunkSize(chunkSize: number | undefined): number {
    if (chunkSize === undefined) return this.#parts.batchSize;
    if (!(Number.isInteger(chunkSize) && chunkSize >= 1)) {
      throw invalidArgument("chunkSize", "a positive integer", describeValue(chunkSize));
    }
    return Math.min(chunkSize, this.#parts.batchSize);
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
