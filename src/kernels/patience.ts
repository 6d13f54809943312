/** How long to wait for others, counted while awake. */
import { nowMs } from "../globals.js";

/** A look that takes longer than this was interrupted: by Ctrl-Z, a debugger, a laptop's lid. */
const LONGEST_LOOK_MS = 200;

/** Patience of so many milliseconds, beginning now. */
export class Patience {
  #leftMs: number;
  #lookedMs = nowMs();

  constructor(patienceMs: number) {
    this.#leftMs = patienceMs;
  }

  /** Whether there is any left; to be called at every look. */
  isLeft(): boolean {
    const now = nowMs();
    this.#leftMs -= Math.min(now - this.#lookedMs, LONGEST_LOOK_MS);
    this.#lookedMs = now;
    return this.#leftMs > 0;
  }
}
