/** The options of a handler, their defaults and checks. */
import { checkOptions } from "../brands.js";
import { clock } from "../clock.js";
import { describeValue, kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";
import type { Model } from "../generation/model.js";
import type { SessionStore } from "../generation/session-store.js";
import type { SessionOutcome } from "./kept-session.js";

/** One request, as it is logged; never what it says, nor its key. */
export interface RequestLog {
  /** When it was answered, in ISO 8601. */
  readonly time: string;
  readonly method: string;
  /** Its route, such as "/v1/models/:id"; null for an unknown one. */
  readonly route: string | null;
  readonly status: number;
  /** Until the last byte was taken. */
  readonly durationMs: number;
  readonly stream: boolean;
  /** Whether the client hung up. */
  readonly aborted: boolean;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /**
   * What became of the session that the request names, where sessions are kept: `restored` from the
   * store, `new`, `replaced` (another model's or a damaged one), `busy` (another request had it for
   * too long), `unavailable` (the store failed), or `unsaved` (it failed in the end).
   */
  readonly session?: SessionOutcome;
  /** Why it was answered with 500 or 503; clients are not told. */
  readonly error?: string;
}

/** What time it is, and timers; for tests. */
export interface HandlerClock {
  /** Milliseconds from any start. */
  now(): number;
  /** Calls back after at least that many milliseconds; what it returns prevents that. */
  after(ms: number, callback: () => void): () => void;
  /** Milliseconds since 1970. */
  date(): number;
}

/** Options of `createHandler`. */
export interface HandlerOptions {
  /**
   * The model, or its promise: until it is loaded, requests are answered with 503. Or a function
   * that loads it, called with the first request: requests wait for it, and after a failure, which
   * is answered with 503, the next one calls it again.
   */
  model: Model | PromiseLike<Model> | (() => PromiseLike<Model>);
  /** The name by which requests ask for it. Default "plm". */
  modelName?: string;
  /** Keys, one of which requests must have as `Authorization: Bearer`. Default none. */
  apiKeys?: readonly string[];
  /** Origins whose pages may ask, or "*" for all. Default none: no CORS headers. */
  cors?: "*" | readonly string[];
  /**
   * Most generations that wait while others run, of which the model's `maxSequences` do; further
   * ones are refused with 429. Default 64.
   */
  maxWaiting?: number;
  /** Longest body of a request. Default 1 MiB. */
  maxBodyBytes?: number;
  /** How long a stream may be left unread before its generation ends. Default 60 seconds. */
  stallTimeoutMs?: number;
  /**
   * Where sessions are kept between requests, by their `prompt_cache_key`: several servers then
   * answer one conversation (`createRedisSessions` of plm-wasm/redis). Default: nowhere.
   */
  sessions?: SessionStore;
  /** Called with each request that was answered. */
  log?: (entry: RequestLog) => void;
  /**
   * Called with a promise for each request, and for the load that the first one begins: settled
   * when all is done. For runtimes that end a request's timers with its answer, such as Workers.
   */
  waitUntil?: (work: Promise<unknown>) => void;
  clock?: HandlerClock;
}

/** Options with every default filled in. */
export interface ResolvedHandlerOptions
  extends Required<Omit<HandlerOptions, "model" | "log" | "sessions" | "waitUntil">> {
  readonly model: PromiseLike<Model> | (() => PromiseLike<Model>);
  readonly sessions: SessionStore | undefined;
  readonly log: ((entry: RequestLog) => void) | undefined;
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

const REAL_CLOCK: HandlerClock = { ...clock, date: () => Date.now() };

/** The options with their defaults. Throws INVALID_ARGUMENT. */
export function resolveHandlerOptions(options: HandlerOptions): ResolvedHandlerOptions {
  checkOptions(options);
  const { model, modelName = "plm", apiKeys = [], cors = [], log, sessions, waitUntil } = options;
  if ((typeof model !== "object" && typeof model !== "function") || model === null) {
    throw invalidArgument(
      "model",
      "a model, its promise or a function that loads it",
      kindOf(model),
    );
  }
  if (typeof modelName !== "string" || modelName === "") {
    throw invalidArgument("modelName", "a non-empty string", describeValue(modelName));
  }
  if (!isTexts(apiKeys) || apiKeys.some((key) => !/^[\x21-\x7e]+$/.test(key))) {
    throw invalidArgument("apiKeys", "an array of keys without spaces", kindOf(apiKeys));
  }
  if (cors !== "*" && !isTexts(cors)) {
    throw invalidArgument("cors", '"*" or an array of origins', describeValue(cors));
  }
  if (log !== undefined && typeof log !== "function") {
    throw invalidArgument("log", "a function", kindOf(log));
  }
  if (sessions !== undefined && typeof Object(sessions).open !== "function") {
    throw invalidArgument("sessions", "a store of sessions", kindOf(sessions));
  }
  if (waitUntil !== undefined && typeof waitUntil !== "function") {
    throw invalidArgument("waitUntil", "a function", kindOf(waitUntil));
  }
  return {
    model: typeof model === "function" || "then" in model ? model : Promise.resolve(model),
    ...{ modelName, apiKeys: [...apiKeys], cors, log, sessions, waitUntil },
    maxWaiting: checkCount("maxWaiting", options.maxWaiting ?? 64, 0),
    maxBodyBytes: checkCount("maxBodyBytes", options.maxBodyBytes ?? 1 << 20, 1),
    stallTimeoutMs: checkCount("stallTimeoutMs", options.stallTimeoutMs ?? 60_000, 1),
    clock: options.clock ?? REAL_CLOCK,
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
}

function checkCount(name: string, value: number, low: number): number {
  if (Number.isSafeInteger(value) && value >= low) return value;
  throw invalidArgument(name, `an integer >= ${low}`, describeValue(value));
}
