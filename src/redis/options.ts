/** The options of sessions in Redis, their defaults and checks. */
import { checkOptions } from "../brands.js";
import { describeValue, kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";

/** What is used of a client of Redis: an instance of ioredis has it. */
export interface RedisClient {
  /** Sends a command; resolves to its answer, texts of which are bytes. */
  callBuffer(command: string, ...args: (string | number | Uint8Array)[]): Promise<unknown>;
}

/** Options of `createRedisSessions`. */
export interface RedisSessionsOptions {
  /** A client, such as `new Redis(url)` of ioredis. It is the caller's to end. */
  redis: RedisClient;
  /** What keys begin with. Default "plm:session:". */
  prefix?: string;
  /** Seconds after its last turn when a session is forgotten. Default one day. */
  ttlSeconds?: number;
  /** Most bytes of a saved session; a larger one is refused with STORE_FULL. Default 1 GiB. */
  maxBytes?: number;
  /** Milliseconds after which a turn whose process ended is over. Default 30,000. */
  lockMs?: number;
  /** Milliseconds after which a command without an answer fails. Default 5,000. */
  timeoutMs?: number;
}

export type ResolvedRedisOptions = Required<RedisSessionsOptions>;

/** The options with their defaults. Throws INVALID_ARGUMENT. */
export function resolveRedisOptions(options: RedisSessionsOptions): ResolvedRedisOptions {
  checkOptions(options);
  const { redis, prefix = "plm:session:" } = options;
  if (typeof Object(redis).callBuffer !== "function") {
    throw invalidArgument("redis", "a client of ioredis", kindOf(redis));
  }
  if (typeof prefix !== "string") {
    throw invalidArgument("prefix", "a text", describeValue(prefix));
  }
  const count = (
    name: "ttlSeconds" | "maxBytes" | "lockMs" | "timeoutMs",
    usual: number,
  ): number => {
    const value = options[name] ?? usual;
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw invalidArgument(name, "a whole number of at least 1", describeValue(value));
  };
  return {
    ...{ redis, prefix },
    ttlSeconds: count("ttlSeconds", 86_400),
    maxBytes: count("maxBytes", 1 << 30),
    lockMs: count("lockMs", 30_000),
    timeoutMs: count("timeoutMs", 5_000),
  };
}
