/**
 * A session of the engine in this thread: one sequence of tokens, its place in the context, and the
 * checks around the forward pass. Cheap: it holds pages of the cache for the tokens that it has, and
 * nothing else.
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
import type { SaveOptions, Session } from "./session.js";

/** What a session works on. */
export interface SessionParts {
  readonly engine: Engine;
  readonly contextLength: number;
  readonly batchSize: number;
}

export class LocalSession extends Disposable implements Session {
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

  get vocabSize(): number {
    return this.#parts.engine.config.vocabSize;
  }

  get length(): number {
    return this.#sequence.length;
  }

  get cachedTokens(): number {
    return 0;
  }

  get tokens(): Uint32Array {
    return this.#tokens.slice(0, this.length);
  }

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

  fork(): LocalSession {
    this.#checkUsable();
    return new LocalSession(this.#parts, this.#sequence.fork(), this.tokens);
  }

  async save(options: SaveOptions = {}): Promise<OwnBytes> {
    checkOptions(options);
    const signal = checkSignal(options.signal);
    return this.startSave().bytes(signal);
  }

  saveStream(): ReadableStream<Uint8Array> {
    requireGlobal("ReadableStream");
    return this.startSave().stream();
  }

  startSave(messages?: string): Saving {
    this.#checkUsable();
    const { fingerprint, cacheType } = this.#parts.engine.snapshotModel;
    const { tokens } = this;
    return new Saving({ model: fingerprint, cacheType, tokens, messages }, this.#sequence);
  }

  truncate(length: number): void {
    this.#checkUsable();
    if (!(Number.isInteger(length) && length >= 0 && length <= this.length)) {
      const expected = `an integer from 0 to ${this.length}`;
      throw invalidArgument("length", expected, describeValue(length));
    }
    this.#sequence.truncate(length);
  }

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
