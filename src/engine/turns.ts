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
  /** Whether a forward pass is under way; while layers are streamed, the program goes on. */
  #isPassing = false;
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

  /** Resolves when no forward pass is under way, in which pages that were given up are written. */
  async whenIdle(): Promise<void> {
    while (this.#isPassing) await this.#pause();
  }

  /** Lets the event loop run; then takes a turn if none was taken meanwhile. */
  async #goRound(request: Request): Promise<void> {
    const turns = this.#turns;
    // Sequences that have just gone on ask for their next tokens meanwhile.
    await platform.yieldToEventLoop();
    if (this.#pauseMs > 0 && !request.isOver) await this.#pause(this.#pauseMs);
    if (!request.isOver && !this.#isPassing && this.#turns === turns) {
      this.#turns++;
      try {
        this.#takeTurn();
      } catch (reason) {
        this.cancel(() => true, reason);
      }
    }
    while (this.#isPassing && !request.isOver) await this.#pause();
  }

  /** Waits so long, or until something changes. */
  async #pause(ms = Infinity): Promise<void> {
    let cancel: (() => void) | undefined;
    let wake = (): void => undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#wakes.add(wake);
      if (ms < Infinity) cancel = this.#clock.after(ms, resolve);
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
    if (parts.length > 0) void this.#perform(parts);
    // One without pages may go on once one with pages has failed.
    else if (jobs.length > 0) this.#wait(jobs.find(({ isAdmitted }) => isAdmitted) ?? jobs[0]);
  }

  /** Waits for pages that others keep; ends a request for which there will be none. */
  #wait(request: Request): void {
    const ms = this.#room.msUntilFree();
    if (ms === undefined) this.#end(request, { reason: this.#room.fullError(request) });
    else this.#pauseMs = ms;
  }

  /** Never rejects. */
  async #perform(parts: readonly Part<Request>[]): Promise<void> {
    const pieces = new Map<Request, Piece>();
    this.#isPassing = true;
    try {
      for (const { job, n } of parts) pieces.set(job, job.piece(n));
      const ms = await this.#engine.evaluate([...pieces.values()]);
      if (ms !== undefined) this.#scheduler.done(parts, ms);
      for (const [request, piece] of pieces) this.#advance(request, piece);
    } catch (reason) {
      for (const { job } of parts) this.#end(job, { reason });
    }
    this.#isPassing = false;
    this.goOn();
  }

  /** Records that the rows of a piece are in the cache, if they are still wanted. */
  #advance(request: Request, piece: Piece): void {
    if (request.isOver) return;
    const { evaluation, hasResult, sequence } = request;
    if (!hasResult) {
      this.#end(request, { reason: lostOut(evaluation.out) });
      return;
    }
    request.advance(piece);
    this.#room.share(sequence, piece.tokens.length);
    if (request.left === 0) this.#end(request);
  }

  /** Ends a request; its sequence keeps the rows that are done, and no pages beyond. */
  #end(request: Request, error?: { readonly reason: unknown }): void {
    // An abort may come between the turn and the call's own, or within the turn.
    if (request.isOver) return;
    const { sequence } = request;
    this.#scheduler.remove(request);
    sequence.rest(this.#clock.now(), this.#scheduler.msOf(sequence.cache.length));
    sequence.cache.truncate(sequence.cache.length);
    this.goOn();
    request.settle(error);
  }
}
