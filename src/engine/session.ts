/**
 * A session: one sequence of tokens, its place in the context, and the checks around the forward
 * pass. Cheap: it holds pages of the cache for the tokens that it has, and nothing else.
 */
import platform from "#platform";
import { brandOf, checkSignal } from "../brands.js";
import type { CacheSequence } from "../cache/sequence.js";
import { Disposable } from "../disposable.js";
import { PlmError } from "../errors.js";
import { type Outputs, PHASES, type Phase } from "../model/batch.js";
import { disposedOf, endWhenDropped } from "./dropped.js";
import type { Engine } from "./engine.js";

/** Options of `Session.evaluate`. */
export interface EvaluateOptions {
  /** Which logits to return: of the last token (default), of all given tokens, or none. */
  logits?: RowsChoice;
  /**
   * Return hidden states instead: the residual stream after the last norm, f32[hiddenSize] of the
   * last token or of each.
   */
  hidden?: RowsChoice;
  /** Where to write the result; default a fresh array. Its length is that of the result. */
  out?: Float32Array;
  /** Most tokens that go through the model at once; default the model's `batchSize`. */
  chunkSize?: number;
  /**
   * What the tokens are evaluated for: `prefill` is fast and as precise as the model's `precision`,
   * `decode` takes one token after the other and is exact. Default: decode for a single token and
   * where `chunkSize` is 1.
   */
  phase?: Phase;
  signal?: AbortSignal;
}

/** Which rows may be asked for. */
const ROWS_CHOICES = ["last", "all", "none"] as const;
type RowsChoice = (typeof ROWS_CHOICES)[number];

/** What a session works on. */
export interface SessionParts {
  readonly engine: Engine;
  readonly contextLength: number;
  readonly batchSize: number;
}

/** What an evaluation is to return. */
interface Wanted extends Pick<Outputs, "kind"> {
  readonly choice: RowsChoice;
  /** Floats of a row. */
  readonly width: number;
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
    this.#tokens = tokens.slice();
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
   * the session is then as before; CACHE_FULL, which keeps the chunks that were done, as an abort
   * does, which rejects with the signal's reason; THREAD_LOST, after which the model does nothing
   * more.
   */
  async evaluate(tokens: ArrayLike<number>, options: EvaluateOptions = {}): Promise<Float32Array> {
    this.#check(tokens);
    const wanted = this.#wanted(options);
    const result = this.#result(wanted, tokens.length, options.out);
    const step = this.#chunkSize(options.chunkSize);
    const phase = this.#phase(options, tokens.length);
    const signal = checkSignal(options.signal);
    signal?.throwIfAborted();
    this.#busy = true;
    try {
      await this.#run(Uint32Array.from(tokens), wanted, result, { step, phase, signal });
      return result;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * A session with the same tokens, which goes its own way. Nothing is evaluated or copied: the two
   * share their pages of the cache until one of them writes to one. Throws SESSION_BUSY or DISPOSED.
   */
  fork(): Session {
    this.#checkUsable();
    return new Session(this.#parts, this.#sequence.fork(), this.tokens);
  }

  /** Forgets every token from position `length` on. Throws INVALID_ARGUMENT beyond the sequence. */
  truncate(length: number): void {
    this.#checkUsable();
    if (!(Number.isInteger(length) && length >= 0 && length <= this.length)) {
      throw new PlmError(
        "INVALID_ARGUMENT",
        `length: expected an integer from 0 to ${this.length}, got ${length}`,
        { argument: "length" },
      );
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

  #wanted({ logits, hidden }: EvaluateOptions): Wanted {
    const { vocabSize, hiddenSize } = this.#parts.engine.config;
    for (const [name, choice] of Object.entries({ logits, hidden })) {
      if (choice === undefined || ROWS_CHOICES.includes(choice)) continue;
      const message = `${name}: expected ${ROWS_CHOICES.join(", ")}, got ${choice}`;
      throw new PlmError("INVALID_ARGUMENT", message, { argument: name });
    }
    if (hidden === undefined) return { kind: "logits", choice: logits ?? "last", width: vocabSize };
    if (logits === undefined) return { kind: "hidden", choice: hidden, width: hiddenSize };
    const message = `hidden: expected no \`logits\` beside it, got "${logits}"`;
    throw new PlmError("INVALID_ARGUMENT", message, { argument: "hidden" });
  }

  /** The array for what is asked for. */
  #result({ choice, width }: Wanted, count: number, out: Float32Array | undefined): Float32Array {
    const length = { last: 1, all: count, none: 0 }[choice] * width;
    if (out === undefined) return new Float32Array(length);
    if (brandOf(out) === "Float32Array" && out.length === length) return out;
    throw new PlmError(
      "INVALID_ARGUMENT",
      `out: expected a Float32Array of length ${length}, got one of length ${out?.length}`,
      { argument: "out" },
    );
  }

  #phase({ phase, chunkSize }: EvaluateOptions, count: number): Phase {
    if (phase === undefined) return count === 1 || chunkSize === 1 ? "decode" : "prefill";
    if (PHASES.includes(phase)) return phase;
    const message = `phase: expected ${PHASES.join(" or ")}, got ${phase}`;
    throw new PlmError("INVALID_ARGUMENT", message, { argument: "phase" });
  }

  async #run(
    tokens: Uint32Array,
    { kind, choice, width }: Wanted,
    result: Float32Array,
    { step, phase, signal }: { step: number; phase: Phase; signal: AbortSignal | undefined },
  ): Promise<void> {
    const { engine } = this.#parts;
    for (let first = 0; first < tokens.length; first += step) {
      if (first > 0) {
        await platform.yieldToEventLoop();
        signal?.throwIfAborted();
        this.#checkDisposed();
      }
      const chunk = tokens.subarray(first, first + step);
      const isLast = first + step >= tokens.length;
      // What decoding goes on from is exact.
      const outputs =
        choice === "all"
          ? { kind, phase, rows: Array.from(chunk, (_, row) => row) }
          : { kind, phase: "decode" as const, rows: [chunk.length - 1] };
      if (choice === "none" || (choice === "last" && !isLast)) outputs.rows.length = 0;
      const out = choice === "all" ? result.subarray(first * width) : result;
      engine.evaluate({ tokens: chunk, sequence: this.#sequence, phase }, outputs, out);
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

  #check(tokens: ArrayLike<number>): void {
    this.#checkUsable();
    const length: unknown = tokens?.length;
    if (!(Number.isSafeInteger(length) && (length as number) >= 0)) {
      throw new PlmError(
        "INVALID_ARGUMENT",
        `tokens: expected an array of token ids, got ${typeof tokens} of length ${length}`,
      );
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
    if (this.length + length > this.contextLength) {
      throw new PlmError(
        "CONTEXT_FULL",
        `evaluate: expected at most ${this.contextLength - this.length} more tokens ` +
          `(context ${this.contextLength}, in use ${this.length}), got ${length}`,
      );
    }
  }

  #chunkSize(chunkSize: number | undefined): number {
    if (chunkSize === undefined) return this.#parts.batchSize;
    if (!(Number.isInteger(chunkSize) && chunkSize >= 1)) {
      throw new PlmError(
        "INVALID_ARGUMENT",
        `chunkSize: expected a positive integer, got ${chunkSize}`,
      );
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
