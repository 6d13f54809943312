/** Where `plm serve --redis` keeps sessions between requests. */
import { PlmError, reasonOf } from "../errors.js";
import type { SessionStore } from "../generation/session-store.js";
import { createRedisSessions } from "../redis/index.js";
import { parseRedisUrl } from "./batch/redis-link.js";

/** How long Redis may take for its first answer. */
const CONNECT_MS = 5_000;

/** The flags of a store. */
export interface StoreFlags {
  readonly redis?: string;
  readonly sessionTtl: number;
  readonly sessionBytes: number;
}

/** A store and its end. */
export interface OpenStore {
  readonly sessions: SessionStore;
  close(): void;
}

/**
 * Connects to the Redis of the flags, if they name one. Rejects with STORE_UNAVAILABLE if it does
 * not answer: that is a wrong address. One that goes away later costs sessions, not answers.
 */
export async function openStore(flags: StoreFlags): Promise<OpenStore | undefined> {
  if (flags.redis === undefined) return undefined;
  const url = parseRedisUrl(flags.redis);
  const Redis = await importRedis();
  const client = new Redis(url.href, {
    maxRetriesPerRequest: 1,
    connectTimeout: CONNECT_MS,
    commandTimeout: CONNECT_MS,
    retryStrategy: (times) => Math.min(100 * times, 1_000),
  });
  let reason: unknown;
  client.on("error", (error) => {
    reason = error;
  });
  try {
    await client.ping();
  } catch (cause) {
    client.disconnect();
    const name = `${url.protocol}//${url.host}`;
    const message = `--redis: expected ${name} to answer, got: ${reasonOf(reason ?? cause)}`;
    throw new PlmError("STORE_UNAVAILABLE", message, { cause });
  }
  const sessions = createRedisSessions({
    redis: client,
    ttlSeconds: flags.sessionTtl,
    maxBytes: flags.sessionBytes,
  });
  return { sessions, close: () => client.disconnect() };
}

async function importRedis(): Promise<typeof import("ioredis").Redis> {
  try {
    return (await import("ioredis")).Redis;
  } catch (cause) {
    const message = "--redis: expected the package ioredis, got none: npm install ioredis";
    throw new PlmError("UNSUPPORTED_RUNTIME", message, { cause });
  }
}
