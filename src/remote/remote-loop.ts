/** The loop of a generation in a worker, as its reader sees it. */
import type { PlmError } from "../errors.js";
import type { Channel, StartedCall } from "./channel.js";
import type { LoopUpdate, SentLoop } from "./protocol.js";

/** Pieces that a loop may be ahead of its reader, which then does not wait for the worker. */
const PIECES_AHEAD = 8;

/** What a program knows of a session in the worker. */
export interface SessionMirror {
  readonly number: number;
  /** Those evaluated, as far as the program has read. */
  readonly tokens: number[];
  cachedTokens: number;
}

/** Refers to nothing of its reader, which may be dropped. */
export class RemoteLoop {
  readonly #channel: Channel;
  readonly #mirror: SessionMirror;
  readonly #signal: AbortSignal | undefined;
  readonly #call: StartedCall;
  /** Settles when the loop in the worker is over. */
  readonly #over: Promise<void>;
  readonly #unread: LoopUpdate[] = [];
  #failure: PlmError | undefined;
  #isLastRead = false;
  #isLeft = false;
  #isOver = false;
  #wake = (): void => undefined;

  /** Starts it. */
  constructor(
    channel: Channel,
    mirror: SessionMirror,
    loop: SentLoop,
    signal: AbortSignal | undefined,
  ) {
    this.#channel = channel;
    this.#mirror = mirror;
    this.#signal = signal;
    const call = { name: "generate", session: mirror.number, loop } as const;
    this.#call = channel.start(call, {
      signal,
      onUpdate: (update) => {
        this.#unread.push(update);
        this.#wake();
      },
      onState: ({ cachedTokens }) => {
        mirror.cachedTokens = cachedTokens;
      },
    });
    this.#over = this.#call.result.then(
      () => this.#finish(),
      (error: unknown) => {
        this.#finish();
        throw error;
      },
    );
    this.#over.catch(() => undefined);
    this.#call.say({ name: "taken", count: PIECES_AHEAD });
  }

  /** Whether the loop in the worker has ended, and the session is where the reader is. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The updates. Rejects with what ended the loop: pieces that were made ahead do not count. */
  async *updates(): AsyncGenerator<LoopUpdate, void> {
    try {
      while (!this.#isLastRead) {
        await this.#channel.whileWaiting(this.#untilNext());
        const [next] = this.#unread;
        if (this.#isEnded) {
          // What was evaluated before the first piece, or since the last one.
          if (this.#signal?.aborted && next?.piece === undefined) this.#take();
          throw this.#failure ?? this.#channel.failure ?? this.#signal?.reason;
        }
        if (next === undefined) break;
        this.#take();
        yield next;
        if (!this.#isOver) this.#call.say({ name: "taken", count: 1 });
      }
      if (!this.#isLastRead) await this.#over;
    } finally {
      this.leave();
      await this.#channel.whileWaiting(this.#over.catch(() => undefined));
    }
  }

  /** Ends the loop: its reader goes no further, and the session is where the reader is. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    if (this.#isOver) this.#cut();
    else this.#call.say({ name: "stop" });
  }

  /** Ends the loop with an error. */
  fail(error: PlmError): void {
    this.#failure = error;
    this.#wake();
    this.leave();
  }

  /** Whether the reader gets no more, whatever was made ahead. */
  get #isEnded(): boolean {
    const isFailed = this.#failure !== undefined || this.#channel.failure !== undefined;
    return isFailed || this.#signal?.aborted === true;
  }

  async #untilNext(): Promise<void> {
    while (this.#failure === undefined && !this.#isOver) {
      // An abort is over when the worker has stopped.
      if (this.#unread.length > 0 && !this.#signal?.aborted) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): void {
    const update = this.#unread.shift();
    if (update === undefined) return;
    for (const token of update.evaluated) this.#mirror.tokens.push(token);
    this.#isLastRead = update.isLast;
  }

  #finish(): void {
    this.#isOver = true;
    if (this.#isLeft) this.#cut();
    this.#wake();
  }

  /** Cuts the session in the worker to where the reader is. */
  #cut(): void {
    const isAhead = this.#unread.some(({ evaluated }) => evaluated.length > 0);
    this.#unread.length = 0;
    const { number: session, tokens } = this.#mirror;
    if (isAhead) this.#channel.notify({ name: "truncate", session, length: tokens.length });
  }
}
