/** The time and randomness that requests depend on; tests pass their own. */
import { abortable } from "../abortable.js";
import { clearTimer, setTimer, type Timer } from "../clock.js";

export interface HttpEnvironment {
  /** How long an answer, or its next bytes, are waited for. */
  readonly patienceMs: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** Rejects with the signal's reason if it aborts. */
  wait(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** The runtime's clock and randomness. */
export const REAL_ENVIRONMENT: HttpEnvironment = {
  patienceMs: 60_000,
  now: () => Date.now(),
  random: () => Math.random(),
  async wait(durationMs, signal) {
    if (setTimer === undefined) return;
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimer(resolve, durationMs);
    });
    try {
      await abortable(over, signal);
    } finally {
      clearTimer(timer);
    }
  },
};
