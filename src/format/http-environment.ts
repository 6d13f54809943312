/** The time and the chance that requests depend on; tests bring their own. */
import { abortable } from "./stream-source.js";

export interface HttpEnvironment {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** Rejects with the signal's reason if that is aborted. */
  wait(durationMs: number, signal?: AbortSignal): Promise<void>;
}

// Test tools replace timers while they run.
const { setTimeout, clearTimeout } = globalThis;

/** The runtime's own. */
export const REAL_ENVIRONMENT: HttpEnvironment = {
  now: () => Date.now(),
  random: () => Math.random(),
  async wait(durationMs, signal) {
    if (setTimeout === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, durationMs);
    });
    try {
      await abortable(over, signal);
    } finally {
      clearTimeout(timer);
    }
  },
};
