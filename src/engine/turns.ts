/**
 * Evaluates the tokens of all sequences, turn by turn: what waits is gathered while the event loop
 * runs, and goes through the model together. Each waiting call takes the next turn for all unless
 * another has: no call depends on another's timers, which Workers end with its request.
 */
import platform from "#platform";
import { type Clock, clock as realClock } from "../clock.js";
import type { Engine } from "./engine.js";
import { lostOut } from "./evaluation.js";
import type { Piece, Request } from "./request.js";
import type { CacheRoom } from "./room.js";
import { type Part, Scheduler, type SchedulerLimits } from "./scheduler.js";

export class Turns {
  readonly #engine: Pick<Engine, "evaluate">;
  readonly #room: CacheRoom;
  readonly #scheduler: Scheduler<Request>;
  readonly #clock: Clock;
  /** Turns so far. */
  #turns = 0;
  /** How long all wait for pages that others keep. */
  #pauseMs = 0;
  /** End the pauses of the waiting calls. */
  readonly #wakes = new Set<() => void>();

  constructor(
    engine: Pick<Engine, "evaluate">,
    room: CacheRoom,
    limits: SchedulerLimits,
    clock: Clock = realClock,
  ) {
    this.#clock = clock;
    this.#engine = engine;
    this.#room = room;
    this.#scheduler = new Scheduler(limits);
  }

  /**
   * Evaluates a request. Rejects with the signal's reason, which ends it at once and keeps the rows
   * that are done, with DISPOSED, THREAD_LOST, or CACHE_FULL where the pages are held by sequences
   * that cannot give them up.
   */
  async evaluate(request: Request): Promise<void> {
    const { signal } = request.evaluation;
    const { sequence } = request;
    const abort = (): void => this.#end(request, { reason: signal?.reason });
    signal?.addEventListener("abort", abort, { once: true });
    sequence.resume(this.#clock.now());
    this.#room.use(sequence);
    if (sequence.isAdmitted && request.tokens.length > 1) this.#room.reuse(request);
    this.#scheduler.add(request);
    this.goOn();
    try {
      while (!request.isOver) await this.#goRound(request);
      request.throwFailure();
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Ends the requests that are meant, with an error; their sequences may give up pages then. */
  cancel(isMeant: (request: Request) => boolean, reason: unknown): void {
    this.goOn();
    for (const request of this.#scheduler.jobs.filter(isMeant)) this.#end(request, { reason });
  }

  /** Ends a pause, or prevents it: pages may be free now. */
  goOn(): void {
    this.#pauseMs = 0;
    for (const wake of this.#wakes) wake();
  }

  /** Lets the event loop run; then takes a turn if none was taken meanwhile. */
  async #goRound(request: Request): Promise<void> {
    const turns = this.#turns;
    // Sequences that have just gone on ask for their next tokens meanwhile.
    await platform.yieldToEventLoop();
    if (this.#pauseMs > 0 && !request.isOver) await this.#pause();
    if (request.isOver || this.#turns !== turns) return;
    this.#turns++;
    try {
      this.#takeTurn();
    } catch (reason) {
      this.cancel(() => true, reason);
    }
  }

  async #pause(): Promise<void> {
    let cancel: (() => void) | undefined;
    let wake = (): void => undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#wakes.add(wake);
      if (this.#pauseMs < Infinity) cancel = this.#clock.after(this.#pauseMs, resolve);
    });
    cancel?.();
    this.#wakes.delete(wake);
  }

  #takeTurn(): void {
    const { jobs } = this.#scheduler;
    this.#pauseMs = 0;
    for (const request of jobs.filter(({ hasResult }) => !hasResult)) {
      this.#end(request, { reason: lostOut(request.evaluation.out) });
    }
    this.#room.startTurn(this.#clock.now());
    const parts = this.#scheduler.plan(this.#room);
    for (const request of jobs.filter(({ left }) => left === 0)) this.#end(request);
    if (parts.length > 0) this.#perform(parts);
    // One without pages may go on once one with pages has failed.
    else if (jobs.length > 0) this.#wait(jobs.find(({ isAdmitted }) => isAdmitted) ?? jobs[0]);
  }

  /** Waits for pages that others keep; ends a request for which there will be none. */
  #wait(request: Request): void {
    const ms = this.#room.msUntilFree();
    if (ms === undefined) this.#end(request, { reason: this.#room.fullError(request) });
    else this.#pauseMs = ms;
  }

  #perform(parts: readonly Part<Request>[]): void {
    const pieces = new Map<Request, Piece>();
    for (const { job, n } of parts) pieces.set(job, job.piece(n));
    let ms: number;
    try {
      ms = this.#engine.evaluate([...pieces.values()]);
    } catch (reason) {
      for (const request of pieces.keys()) this.#end(request, { reason });
      return;
    }
    this.#scheduler.done(parts, ms);
    for (const [request, piece] of pieces) {
      request.advance(piece);
      this.#room.share(request.sequence, piece.tokens.length);
      if (request.left === 0) this.#end(request);
    }
  }

  /** Ends a request; its sequence keeps the rows that are done, and no pages beyond. */
  #end(request: Request, error?: { readonly reason: unknown }): void {
    // An abort may come between the turn and the call's own.
    if (request.isOver) return;
    const { sequence } = request;
    this.#scheduler.remove(request);
    sequence.rest(this.#clock.now(), this.#scheduler.msOf(sequence.cache.length));
    sequence.cache.truncate(sequence.cache.length);
    this.goOn();
    request.settle(error);
  }
}
