/** The checks around a session, which are the same wherever its engine runs. */
import { checkOptions, checkSignal } from "../brands.js";
import { describeValue, kindOf } from "../describe.js";
import { Disposable } from "../disposable.js";
import { invalidArgument, PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { PlmConfig } from "../model/config.js";
import type { OwnBytes } from "../web-types.js";
import { disposedSession } from "./disposed.js";
import { disposedOf } from "./dropped.js";
import { type EvaluateOptions, type ResolvedEvaluation, resolveEvaluation } from "./evaluation.js";
import type { SaveOptions, Session, StartedSave } from "./session.js";

/** What the checks need of a model. */
export interface SessionLimits {
  readonly config: PlmConfig;
  readonly contextLength: number;
  readonly batchSize: number;
}

export abstract class CheckedSession extends Disposable implements Session {
  readonly #limits: SessionLimits;
  #isDisposed = false;

  constructor(limits: SessionLimits) {
    super();
    this.#limits = limits;
  }

  get contextLength(): number {
    return this.#limits.contextLength;
  }

  get vocabSize(): number {
    return this.#limits.config.vocabSize;
  }

  abstract get length(): number;
  abstract get tokens(): Uint32Array;
  abstract get cachedTokens(): number;

  /** Whether a call is under way. */
  protected abstract get isBusy(): boolean;
  /** Evaluates checked tokens; fills in the result. */
  protected abstract run(tokens: Uint32Array, evaluation: ResolvedEvaluation): Promise<void>;
  protected abstract copy(): Session;
  protected abstract snapshot(messages?: string): StartedSave;
  protected abstract cut(length: number): void;
  /** Gives everything back; called once. */
  protected abstract end(): void;

  async evaluate(tokens: ArrayLike<number>, options: EvaluateOptions = {}): Promise<Float32Array> {
    const checked = this.checkTokens(tokens);
    checkOptions(options);
    const { config, batchSize } = this.#limits;
    const resolved = resolveEvaluation(options, checked.length, config, batchSize);
    resolved.signal?.throwIfAborted();
    await this.run(checked, resolved);
    return resolved.out;
  }

  fork(): Session {
    this.checkUsable();
    return this.copy();
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

  startSave(messages?: string): StartedSave {
    this.checkUsable();
    return this.snapshot(messages);
  }

  truncate(length: number): void {
    this.checkUsable();
    if (!(Number.isInteger(length) && length >= 0 && length <= this.length)) {
      const expected = `an integer from 0 to ${this.length}`;
      throw invalidArgument("length", expected, describeValue(length));
    }
    this.cut(length);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    disposedOf(this);
    this.end();
  }

  /** Throws DISPOSED, or SESSION_BUSY while a call is under way. */
  protected checkUsable(): void {
    if (this.#isDisposed) throw disposedSession();
    if (!this.isBusy) return;
    throw new PlmError("SESSION_BUSY", "session: expected one call at a time, got a second");
  }

  /** A copy of the tokens, which are looked at once: what is checked is what is evaluated. */
  protected checkTokens(tokens: ArrayLike<number>): Uint32Array {
    this.checkUsable();
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
}
