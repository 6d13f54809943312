/** A connection to Redis that is watched: what waits for it is told, and in the end given up. */
import { setMaxListeners } from "node:events";
import { abortable } from "../../abortable.js";
import { PlmError, reasonOf } from "../../errors.js";

/** How often it is asked whether it is there, and after how long without an answer that is said. */
const TICK_MS = 500;
const QUIET_MS = 3_000;

/** Longest wait between two attempts to connect. */
const MOST_RETRY_MS = 1_000;

/** Replies that no waiting changes; what is captured says enough. */
const REFUSALS = /^(NOAUTH|WRONGPASS|NOPERM|ERR (?:AUTH|invalid DB index|DB index).*)/;

/** Options of a link. */
export interface LinkOptions {
  /** How long Redis may be away. */
  readonly timeoutMs: number;
  /** Ends all waiting at once. */
  readonly signal?: AbortSignal;
  /** Shows a line. */
  readonly tell: (line: string) => void;
}

/** What --redis needs of packages that are not installed with this one. */
export interface RedisPackages {
  readonly Queue: typeof import("bullmq").Queue;
  readonly QueueEvents: typeof import("bullmq").QueueEvents;
  readonly Worker: typeof import("bullmq").Worker;
  readonly Redis: typeof import("ioredis").Redis;
}

/** The packages' classes. Throws UNSUPPORTED_RUNTIME where they are not installed. */
export async function loadRedisPackages(): Promise<RedisPackages> {
  try {
    const [{ Queue, QueueEvents, Worker }, { Redis }] = await Promise.all([
      import("bullmq"),
      import("ioredis"),
    ]);
    return { Queue, QueueEvents, Worker, Redis };
  } catch (cause) {
    const message = "--redis: expected the packages bullmq and ioredis, got none";
    const help = "npm install bullmq ioredis";
    throw new PlmError("UNSUPPORTED_RUNTIME", `${message}: ${help}`, { cause });
  }
}

/** The address of --redis. Throws INVALID_ARGUMENT, without what may be a password. */
export function parseRedisUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== "") return url;
  const got = url === undefined ? "what is no URL" : `one of ${url.protocol}`;
  const message = `--redis: expected a URL such as redis://localhost:6379, got ${got}`;
  throw new PlmError("INVALID_ARGUMENT", message);
}

export class RedisLink {
  readonly client: InstanceType<RedisPackages["Redis"]>;
  /** The address without user and password. */
  readonly name: string;
  /** Aborts with the caller's, or with REDIS_LOST. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #options: LinkOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort: () => void;
  #lastTick = performance.now();
  #quietMs = 0;
  #isAsking = false;
  #reason = "no answer";

  /** Connects. Where no answer comes in time, the link's signal aborts. */
  constructor(url: URL, { Redis }: RedisPackages, options: LinkOptions) {
    this.client = new Redis(url.href, {
      // Commands wait for Redis; the link ends that.
      maxRetriesPerRequest: null,
      disconnectTimeout: 200,
      retryStrategy: (times) => Math.min(100 * times, MOST_RETRY_MS),
    });
    this.name = `${url.protocol}//${url.host}${url.pathname}`.replace(/\/$/, "");
    this.signal = this.#controller.signal;
    // Each command that waits listens.
    setMaxListeners(0, this.signal);
    this.#options = options;
    const { signal } = options;
    this.#onAbort = () => this.#controller.abort(signal?.reason);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
    this.client.on("error", (error) => this.#note(error));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#ask();
  }

  /** What a command comes to. Rejects with the signal's reason, or with REDIS_LOST. */
  async wait<T>(command: Promise<T>): Promise<T> {
    try {
      return await abortable(command, this.signal);
    } catch (cause) {
      this.signal.throwIfAborted();
      const message = `--redis: ${this.name}: ${reasonOf(cause)}`;
      throw PlmError.from(cause) ?? new PlmError("REDIS_LOST", message, { cause });
    }
  }

  /** Resolves when Redis has answered once. */
  async ready(): Promise<void> {
    await this.wait(this.client.ping());
  }

  /** Ends the connection; commands that wait are given up. */
  close(): void {
    clearInterval(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.client.disconnect();
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const answered = (): void => {
      this.#isAsking = false;
      if (this.#quietMs >= QUIET_MS) this.#options.tell(`${this.name} answers again`);
      this.#quietMs = 0;
    };
    this.client.ping().then(answered, (error) => {
      this.#isAsking = false;
      this.#note(error);
    });
  }

  #note(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, refusal] = REFUSALS.exec(message) ?? [];
    this.#reason = refusal ?? code ?? message;
    if (refusal !== undefined) this.#giveUp();
  }

  /** Counts only time in which this process ran: a machine may have slept. */
  #tick(): void {
    const now = performance.now();
    const before = this.#quietMs;
    this.#quietMs += Math.min(now - this.#lastTick, 2 * TICK_MS);
    this.#lastTick = now;
    this.#ask();
    if (before < QUIET_MS && this.#quietMs >= QUIET_MS) {
      this.#options.tell(`${this.name} does not answer: waiting for it (${this.#reason})`);
    }
    if (this.#quietMs > this.#options.timeoutMs) this.#giveUp();
  }

  #giveUp(): void {
    const message = `--redis: expected ${this.name} to answer, got ${this.#reason}`;
    this.#controller.abort(new PlmError("REDIS_LOST", message));
  }
}
