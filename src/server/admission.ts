/** How many generations run and wait. What is over the bound is refused. */
import { abortable } from "../abortable.js";
import { HttpError } from "./http-error.js";

/** A place among those that run or wait. */
export interface Ticket {
  /** Resolves when it may run. Rejects with the signal's reason, or with HttpError on shutdown. */
  start(signal: AbortSignal): Promise<void>;
  /** Gives the place up; the second time it does nothing. */
  end(): void;
}

/** The limits. */
export interface AdmissionLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

/** One that waits for a place. */
interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  /** Those that wait, the oldest first. */
  readonly #queue: Waiting[] = [];
  #reserved = 0;
  #running = 0;
  #closed: HttpError | undefined;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#reserved - this.#running;
  }

  /**
   * Places for the generations of one request, all or none. Throws HttpError 429 if there are not
   * enough now, 400 if there never are.
   */
  reserve(count: number): Ticket[] {
    if (this.#closed !== undefined) throw this.#closed;
    const { maxRunning, maxWaiting } = this.#limits;
    const most = maxRunning + maxWaiting;
    if (count > most) {
      throw new HttpError(400, `n: expected at most ${most} answers to one request, got ${count}`, {
        param: "n",
        code: "invalid_value",
      });
    }
    if (this.#reserved + count > most) {
      const got = `${this.#running} that run and ${this.waiting} that wait`;
      throw new HttpError(429, `busy: expected room for ${count} more, got ${got}`, {
        code: "too_many_requests",
        retryAfter: 1,
      });
    }
    this.#reserved += count;
    return Array.from({ length: count }, () => this.#createTicket());
  }

  /** Refuses those that wait, and all that come. */
  close(error: HttpError): void {
    this.#closed = error;
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }

  #createTicket(): Ticket {
    let state: "reserved" | "running" | "ended" = "reserved";
    return {
      start: async (signal) => {
        signal.throwIfAborted();
        if (this.#running >= this.#limits.maxRunning) await this.#wait(signal);
        else this.#running++;
        state = "running";
      },
      end: () => {
        if (state === "ended") return;
        this.#reserved--;
        if (state === "running") this.#release();
        state = "ended";
      },
    };
  }

  /** Waits for the place of another, which is then its own. */
  async #wait(signal: AbortSignal): Promise<void> {
    let isGiven = false;
    let entry: Waiting;
    const turn = new Promise<void>((resolve, reject) => {
      entry = {
        resolve: () => {
          isGiven = true;
          resolve();
        },
        reject,
      };
      this.#queue.push(entry);
    });
    try {
      await abortable(turn, signal);
    } catch (error) {
      const place = this.#queue.indexOf(entry!);
      if (place >= 0) this.#queue.splice(place, 1);
      if (isGiven) this.#release();
      throw error;
    }
  }

  /** Gives a running place to the next that waits. */
  #release(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running--;
    else next.resolve();
  }
}
