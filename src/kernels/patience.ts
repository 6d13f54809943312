/** How long to wait for other threads, counted while awake. */
import { now as clock } from "../clock.js";

/** A look that takes longer than this was interrupted: by Ctrl-Z, a debugger, a laptop's lid. */
const LONGEST_LOOK_MS = 200;

/** The least that a look counts: a clock that stands still must not make a wait endless. */
const SHORTEST_LOOK_MS = 0.01;

/** Patience for a number of milliseconds, beginning now. */
export class Patience {
  readonly #now: () => number;
  #leftMs: number;
  #lookedMs: number;

  constructor(patienceMs: number, now: () => number = clock) {
    this.#now = now;
    this.#leftMs = patienceMs;
    this.#lookedMs = now();
  }

  /**
   * Whether any is left; call it at every look. `sleptMs` is the least that the look took, whatever
   * the clock says.
   */
  isLeft(sleptMs = 0): boolean {
    const nowMs = this.#now();
    const lookMs = Math.max(nowMs - this.#lookedMs, sleptMs, SHORTEST_LOOK_MS);
    this.#leftMs -= Math.min(lookMs, LONGEST_LOOK_MS);
    this.#lookedMs = nowMs;
    return this.#leftMs > 0;
  }
}
