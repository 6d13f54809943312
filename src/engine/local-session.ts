/**
 * A session of the engine in this thread: one sequence of tokens and the checks around its
 * evaluation. Cheap: it holds pages of the cache for the tokens that it has, and nothing else.
 */

import { checkOptions, checkSignal } from "../brands.js";
import { describeValue, kindOf } from "../describe.js";
import { Disposable } from "../disposable.js";
import { invalidArgument, PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import { disposedOf, endWhenDropped } from "./dropped.js";
import type { Engine } from "./engine.js";
import { type EvaluateOptions, type ResolvedEvaluation, resolveEvaluation } from "./evaluation.js";
import { type FormChoice, Request } from "./request.js";
import type { CacheRoom } from "./room.js";
import { Saving } from "./save.js";
import type { Sequence } from "./sequence.js";
import type { SaveOptions, Session } from "./session.js";
import type { Turns } from "./turns.js";

/** What a session works on. */
export interface SessionParts {
  readonly engine: Engine;
  readonly turns: Turns;
  readonly room: CacheRoom;
  readonly contextLength: number;
  readonly batchSize: number;
  readonly choice: FormChoice;
}

export class LocalSession extends Disposable implements Session {
  readonly contextLength: number;
  readonly #parts: SessionParts;
  /** Its tokens and rows. */
  readonly sequence: Sequence;
  #cachedTokens = 0;
  #disposed = false;

  /** Of a sequence that is the session's own. */
  constructor(parts: SessionParts, sequence: Sequence) {
    super();
    this.#parts = parts;
    this.sequence = sequence;
    this.contextLength = parts.contextLength;
    const { room } = parts;
    room.add(sequence);
    endWhenDropped(this, () => room.dispose(sequence));
  }

  get vocabSize(): number {
    return this.#parts.engine.config.vocabSize;
  }

  get length(): number {
    return this.sequence.length;
  }

  get cachedTokens(): number {
    return this.#cachedTokens;
  }

  get tokens(): Uint32Array {
    return this.sequence.history.tokens.slice();
  }

  async evaluate(tokens: ArrayLike<number>, options: EvaluateOptions = {}): Promise<Float32Array> {
    const checked = this.#check(tokens);
    checkOptions(options);
    const { engine, batchSize } = this.#parts;
    const resolved = resolveEvaluation(options, checked.length, engine.config, batchSize);
    resolved.signal?.throwIfAborted();
    await this.#evaluate(checked, resolved);
    return resolved.out;
  }

  fork(): LocalSession {
    this.#checkUsable();
    return new LocalSession(this.#parts, this.sequence.fork());
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
    return new Saving(
      { model: fingerprint, cacheType, messages },
      this.sequence.fork(),
      this.#parts,
    );
  }

  truncate(length: number): void {
    this.#checkUsable();
    if (!(Number.isInteger(length) && length >= 0 && length <= this.length)) {
      const expected = `an integer from 0 to ${this.length}`;
      throw invalidArgument("length", expected, describeValue(length));
    }
    this.sequence.truncate(length);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    disposedOf(this);
    const { turns, room } = this.#parts;
    turns.cancel(({ sequence }) => sequence === this.sequence, disposed());
    room.dispose(this.sequence);
  }

  async #evaluate(tokens: Uint32Array, evaluation: ResolvedEvaluation): Promise<void> {
    const { turns, choice } = this.#parts;
    const request = new Request(this.sequence, tokens, evaluation, choice);
    try {
      await turns.evaluate(request);
    } finally {
      this.#cachedTokens = request.cachedTokens;
    }
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
    if (this.sequence.isBusy) {
      throw new PlmError("SESSION_BUSY", "session: expected one call at a time, got a second");
    }
  }

  #checkDisposed(): void {
    if (this.#disposed) throw disposed();
  }
}

function disposed(): PlmError {
  return new PlmError("DISPOSED", "session: expected a live session, got a disposed one");
}
