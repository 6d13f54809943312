/**
 * A session of the engine in this thread. Cheap: it holds pages of the cache for the tokens that it
 * has, and nothing else.
 */
import { CheckedSession, type SessionLimits } from "./checked-session.js";
import { disposedSession } from "./disposed.js";
import { endWhenDropped } from "./dropped.js";
import type { Engine } from "./engine.js";
import type { ResolvedEvaluation } from "./evaluation.js";
import { type FormChoice, Request } from "./request.js";
import type { CacheRoom } from "./room.js";
import { Saving } from "./save.js";
import type { Sequence } from "./sequence.js";
import type { Turns } from "./turns.js";

/** What a session works on. */
export interface SessionParts extends SessionLimits {
  readonly engine: Engine;
  readonly turns: Turns;
  readonly room: CacheRoom;
  readonly choice: FormChoice;
}

export class LocalSession extends CheckedSession {
  /** Its tokens and rows. */
  readonly sequence: Sequence;
  readonly #parts: SessionParts;
  #cachedTokens = 0;

  /** Of a sequence that is the session's own. */
  constructor(parts: SessionParts, sequence: Sequence) {
    super(parts);
    this.#parts = parts;
    this.sequence = sequence;
    const { room } = parts;
    room.add(sequence);
    endWhenDropped(this, () => room.dispose(sequence));
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

  protected get isBusy(): boolean {
    return this.sequence.isBusy;
  }

  protected async run(tokens: Uint32Array, evaluation: ResolvedEvaluation): Promise<void> {
    const { turns, choice } = this.#parts;
    const request = new Request(this.sequence, tokens, evaluation, choice);
    try {
      await turns.evaluate(request);
    } finally {
      this.#cachedTokens = request.cachedTokens;
    }
  }

  protected copy(): LocalSession {
    return new LocalSession(this.#parts, this.sequence.fork());
  }

  protected snapshot(messages?: string): Saving {
    const { fingerprint: model, cacheType } = this.#parts.engine.snapshotModel;
    return new Saving({ model, cacheType, messages }, this.sequence.fork(), this.#parts);
  }

  protected cut(length: number): void {
    this.sequence.truncate(length);
  }

  protected end(): void {
    const { turns, room } = this.#parts;
    turns.cancel(({ sequence }) => sequence === this.sequence, disposedSession());
    room.dispose(this.sequence);
  }
}
