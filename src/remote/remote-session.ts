/** A session whose engine runs in a worker. */

import { CheckedSession, type SessionLimits } from "../engine/checked-session.js";
import { disposedSession } from "../engine/disposed.js";
import { endWhenDropped } from "../engine/dropped.js";
import { lostOut, type ResolvedEvaluation } from "../engine/evaluation.js";
import type { Phase } from "../model/batch.js";
import type { Channel } from "./channel.js";
import type { LoopUpdate, SessionState } from "./protocol.js";
import { RemoteLoop, type SessionMirror } from "./remote-loop.js";
import { RemoteSave } from "./remote-save.js";

/** What a session is made of. */
export interface RemoteSessionParts extends SessionLimits {
  readonly channel: Channel;
  /** Numbers for sessions and saves. */
  readonly nextNumber: () => number;
  /** The decoder that the worker has as well. */
  readonly decoder: unknown;
  /** The model, which is not dropped while a session is in use. */
  readonly owner: object;
}

export class RemoteSession extends CheckedSession {
  readonly #parts: RemoteSessionParts;
  readonly #mirror: SessionMirror;
  #isEvaluating = false;
  #loop: RemoteLoop | undefined;

  /** Of the session that has the number in the worker. */
  constructor(parts: RemoteSessionParts, number: number, tokens: Iterable<number> = []) {
    super(parts);
    this.#parts = parts;
    this.#mirror = { number, tokens: [...tokens], cachedTokens: 0 };
    const { channel } = parts;
    endWhenDropped(this, () => channel.notify({ name: "dispose", session: number }));
  }

  get length(): number {
    return this.#mirror.tokens.length;
  }

  get tokens(): Uint32Array {
    return Uint32Array.from(this.#mirror.tokens);
  }

  get cachedTokens(): number {
    return this.#mirror.cachedTokens;
  }

  /** The decoder that `generateElsewhere` works with. */
  get decoderElsewhere(): unknown {
    return this.#parts.decoder;
  }

  /**
   * Runs the loop of `generate` in the worker. Nothing happens before the first read; then the loop
   * is a few pieces ahead, which does not show. Leaving it early ends it.
   */
  async *generateElsewhere(
    { prompt, ...rest }: { prompt: readonly number[]; options: unknown; phase: Phase },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LoopUpdate, void> {
    signal?.throwIfAborted();
    const sent = { ...rest, prompt: this.checkTokens(prompt) };
    const loop = new RemoteLoop(this.#parts.channel, this.#mirror, sent, signal);
    this.#loop = loop;
    const updates = loop.updates();
    endWhenDropped(updates, () => loop.leave());
    yield* updates;
  }

  protected get isBusy(): boolean {
    return this.#isEvaluating || this.#loop?.isOver === false;
  }

  protected async run(tokens: Uint32Array, evaluation: ResolvedEvaluation): Promise<void> {
    const mirror = this.#mirror;
    const { kind, choice, phase, step, out, signal } = evaluation;
    const { number: session } = mirror;
    const sent = { kind, choice, phase, step };
    const call = { name: "evaluate", session, tokens, evaluation: sent } as const;
    const start = mirror.tokens.length;
    const onState = ({ length, cachedTokens }: SessionState): void => {
      for (const token of tokens.subarray(0, length - start)) mirror.tokens.push(token);
      mirror.cachedTokens = cachedTokens;
    };
    this.#isEvaluating = true;
    try {
      const rows = (await this.#parts.channel.call(call, { signal, onState })) as Float32Array;
      if (out.length !== rows.length) throw lostOut(out);
      out.set(rows);
    } finally {
      this.#isEvaluating = false;
    }
  }

  protected copy(): RemoteSession {
    const { channel, nextNumber } = this.#parts;
    const session = nextNumber();
    channel.notify({ name: "fork", session, from: this.#mirror.number });
    return new RemoteSession(this.#parts, session, this.#mirror.tokens);
  }

  protected snapshot(messages?: string): RemoteSave {
    const { channel, nextNumber, owner } = this.#parts;
    if (channel.failure !== undefined) throw channel.failure;
    const save = nextNumber();
    channel.notify({ name: "startSave", save, session: this.#mirror.number, messages });
    return new RemoteSave(channel, save, owner);
  }

  protected cut(length: number): void {
    const { number: session, tokens } = this.#mirror;
    this.#parts.channel.notify({ name: "truncate", session, length });
    tokens.length = length;
  }

  protected end(): void {
    this.#parts.channel.notify({ name: "dispose", session: this.#mirror.number });
    this.#loop?.fail(disposedSession());
  }
}
