/** A Redis and clients of it that a file of tests shares. */
import { Redis } from "ioredis";
import { test as plain, type Test } from "uvu";
import { type LoadModelOptions, loadModel, type Model } from "../../../src/index.js";
import type { SessionStore } from "../../../src/redis/index.js";
import { createRedisSessions, type RedisSessionsOptions } from "../../../src/redis/index.js";
import { type RedisOptions, type RedisServer, startRedis } from "../../support/redis-server.js";

/** A server, or undefined where none is installed. */
export interface SharedRedis {
  readonly server: RedisServer;
  /** A store with a client of its own, as another process has it. */
  connect(options?: Partial<RedisSessionsOptions>): SessionStore;
  /** Ends the clients and the server. */
  stop(): Promise<void>;
}

/** Starts a Redis for tests; `test` skips them where there is none. */
export async function shareRedis(
  options: RedisOptions = {},
): Promise<{ redis: SharedRedis; test: Test["only"] }> {
  const server = await startRedis(options);
  const clients: Redis[] = [];
  const connect = (more: Partial<RedisSessionsOptions> = {}): SessionStore => {
    const client = new Redis(server!.url, { maxRetriesPerRequest: 1, retryStrategy: () => 50 });
    client.on("error", () => undefined);
    clients.push(client);
    return createRedisSessions({ redis: client, ...more });
  };
  const stop = async (): Promise<void> => {
    for (const client of clients) client.disconnect();
    await server?.stop();
  };
  const test = server === undefined ? plain.skip : plain;
  return { redis: { server: server!, connect, stop }, test };
}

/** A small model that computes the same wherever it is. */
export function loadSmall(options: LoadModelOptions = {}): Promise<Model> {
  const same = { variant: "simd", threads: 1, attention: "absorbed", prefixCache: false } as const;
  return loadModel("models/plm-test.gguf", { ...same, cacheTokens: 1024, ...options });
}
