/** A session whose engine runs in a worker. */
import { CheckedSession, disposedSession, type SessionLimits } from "../engine/checked-session.js";
import { endWhenDropped } from "../engine/dropped.js";
import type { ResolvedEvaluation } from "../engine/evaluation.js";
import type { Channel, StartedCall } from "./channel.js";
import type { LoopUpdate, SentLoop, SessionState } from "./protocol.js";
import { RemoteSave } from "./remote-save.js";

/** What a session is made of. */
export interface RemoteSessionParts extends SessionLimits {
  readonly channel: Channel;
  /** Numbers for sessions and saves. */
  readonly nextNumber: () => number;
}

/** Pieces that a loop may be ahead of its reader, who then does not wait for the worker. */
const PIECES_AHEAD = 8;

export class RemoteSession extends CheckedSession {
  readonly #parts: RemoteSessionParts;
  readonly #number: number;
  /** Those evaluated, as the worker said last. */
  readonly #tokens: number[];
  #cachedTokens = 0;
  #call: StartedCall | undefined;

  /** Of the session that has the number in the worker. */
  constructor(parts: RemoteSessionParts, number: number, tokens: readonly number[] = []) {
    super(parts);
    this.#parts = parts;
    this.#number = number;
    this.#tokens = [...tokens];
    const { channel } = parts;
    endWhenDropped(this, () => channel.notify({ name: "dispose", session: number }));
  }

  get length(): number {
    return this.#tokens.length;
  }

  get tokens(): Uint32Array {
    return Uint32Array.from(this.#tokens);
  }

  get cachedTokens(): number {
    return this.#cachedTokens;
  }

  protected get isBusy(): boolean {
    return this.#call !== undefined;
  }

  /**
   * Runs the loop of `generate` in the worker. Nothing happens before the first read; then the loop
   * is a few pieces ahead. Leaving it early ends it.
   */
  async *generateElsewhere(
    loop: SentLoop,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LoopUpdate, void> {
    this.checkUsable();
    signal?.throwIfAborted();
    const updates: LoopUpdate[] = [];
    let wake = (): void => undefined;
    const onUpdate = (update: LoopUpdate): void => {
      for (const token of update.evaluated) this.#tokens.push(token);
      updates.push(update);
      wake();
    };
    const call = { name: "generate", session: this.#number, loop } as const;
    const started = this.#start(call, { signal, onUpdate });
    let isOver = false;
    const over = started.result.finally(() => {
      isOver = true;
      wake();
    });
    over.catch(() => undefined);
    try {
      started.say({ name: "taken", count: PIECES_AHEAD });
      while (!isOver || updates.length > 0) {
        const update = updates.shift();
        if (update !== undefined) {
          yield update;
          if (!isOver) started.say({ name: "taken", count: 1 });
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (isOver || updates.length > 0) resolve();
          });
        }
      }
      await over;
    } finally {
      if (!isOver) {
        started.say({ name: "stop" });
        await over.catch(() => undefined);
      }
    }
  }

  protected async run(tokens: Uint32Array, evaluation: ResolvedEvaluation): Promise<void> {
    const { kind, choice, phase, step, out, signal } = evaluation;
    const { length } = this;
    const sent = { kind, choice, phase, step };
    const call = { name: "evaluate", session: this.#number, tokens, evaluation: sent } as const;
    const onState = (state: SessionState): void => {
      for (const token of tokens.subarray(0, state.length - length)) this.#tokens.push(token);
    };
    const started = this.#start(call, { signal, onState });
    out.set((await started.result) as Float32Array);
  }

  protected copy(): RemoteSession {
    const { channel, nextNumber } = this.#parts;
    const number = nextNumber();
    channel.notify({ name: "fork", session: number, from: this.#number });
    return new RemoteSession(this.#parts, number, this.#tokens);
  }

  protected snapshot(messages?: string): RemoteSave {
    const { channel, nextNumber } = this.#parts;
    const save = nextNumber();
    channel.notify({ name: "startSave", save, session: this.#number, messages });
    return new RemoteSave(channel, save);
  }

  protected cut(length: number): void {
    this.#parts.channel.notify({ name: "truncate", session: this.#number, length });
    this.#tokens.length = length;
  }

  protected end(): void {
    this.#parts.channel.notify({ name: "dispose", session: this.#number });
  }

  /** Makes a call during which the session is busy. */
  #start(...[call, options]: Parameters<Channel["start"]>): StartedCall {
    const onState = (state: SessionState): void => {
      this.#cachedTokens = state.cachedTokens;
      this.#call = undefined;
      options?.onState?.(state);
    };
    const started = this.#parts.channel.start(call, { ...options, onState });
    this.#call = started;
    // A worker that is lost says no more where the session is.
    started.result
      .catch(() => undefined)
      .finally(() => {
        if (this.#call === started) this.#call = undefined;
      });
    return started;
  }
}

export { disposedSession };
