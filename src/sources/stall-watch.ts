/** Ends a read that makes no progress. */
import { clearTimer, setTimer, type Timer } from "../clock.js";
import { requireGlobal } from "../globals.js";

export class StallWatch {
  readonly #controller: AbortController;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #timer: Timer | undefined;

  /**
   * `signal` aborts for `reason` when `progress` has stayed the same for so long, and as the
   * caller's signal does.
   */
  constructor(progress: () => number, ms: number, reason: unknown, caller?: AbortSignal) {
    this.#controller = new (requireGlobal("AbortController"))();
    this.#caller = caller;
    this.#onAbort = () => this.#controller.abort(caller?.reason);
    caller?.addEventListener("abort", this.#onAbort, { once: true });
    if (caller?.aborted) this.#onAbort();
    const look = (before: number): void => {
      const now = progress();
      if (now === before) this.#controller.abort(reason);
      else this.#timer = setTimer?.(() => look(now), ms);
    };
    this.#timer = setTimer?.(() => look(start), ms);
    const start = progress();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** To be called when the read is over. */
  end(): void {
    clearTimer?.(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}
