/** Time and randomness of requests in tests: pauses are recorded, not waited for. */
import type { HttpEnvironment } from "../../../src/sources/http-environment.js";

/** The time of every request: RFC 9110's own example, Sun, 06 Nov 1994 08:49:37 GMT. */
export const NOW_MS: number = Date.UTC(1994, 10, 6, 8, 49, 37);

export class TestEnvironment implements HttpEnvironment {
  readonly patienceMs = 3_000;
  /** Pauses so far, in milliseconds; each is the longest possible. */
  readonly pausesMs: number[] = [];
  /** Called in each pause. */
  onPause: () => void = () => {};

  now(): number {
    return NOW_MS;
  }

  random(): number {
    return 1;
  }

  async wait(durationMs: number, signal?: AbortSignal): Promise<void> {
    this.pausesMs.push(durationMs);
    this.onPause();
    signal?.throwIfAborted();
  }
}
