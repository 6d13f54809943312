/** When a failed request is made again: after growing pauses, or when the server says. */
import type { PlmError } from "../errors.js";
import type { HttpEnvironment } from "./http-environment.js";

/** How many requests in a row may fail before the failure is final. */
const MOST_RETRIES = 5;

/** The most of the first pause; each further one is up to twice as long. */
const FIRST_PAUSE_MS = 1000;

/** The longest pause, whatever the server asks for. */
const LONGEST_PAUSE_MS = 60_000;

/** Answers after which the same request may succeed: busy or overloaded, here or on the way. */
const TRANSIENT_STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504, 522, 524];

/** Whether the same request may succeed later. */
export function isTransient(status: number): boolean {
  return TRANSIENT_STATUSES.includes(status);
}

/** A request that failed and may be made again. */
export interface Failure {
  readonly error: PlmError;
  /** The wait that the server asks for. */
  readonly retryAfterMs: number | undefined;
}

/** Counts failures in a row, and pauses after each. */
export class Retries {
  readonly #environment: HttpEnvironment;
  #failures = 0;

  constructor(environment: HttpEnvironment) {
    this.#environment = environment;
  }

  /** Records that bytes were received: the next failure counts as the first. */
  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * Pauses before the next try: half to all of a time that doubles, so that clients do not come all
   * at once; longer if the server asks for it. Throws the failure's error when it is final, or the
   * signal's reason.
   */
  async pauseAfter({ error, retryAfterMs = 0 }: Failure, signal?: AbortSignal): Promise<void> {
    if (this.#failures === MOST_RETRIES) throw error;
    const share = 0.5 + this.#environment.random() / 2;
    const backOffMs = FIRST_PAUSE_MS * 2 ** this.#failures++ * share;
    const pauseMs = Math.min(Math.max(backOffMs, retryAfterMs), LONGEST_PAUSE_MS);
    await this.#environment.wait(pauseMs, signal);
  }
}
