/** Sessions that several processes share, in Redis: `plm-wasm/redis`. */
import "../web-types.js";

export type {
  OpenTurnOptions,
  Savable,
  SessionStore,
  SessionTurn,
  TurnSave,
} from "../generation/session-store.js";
export type { RedisClient, RedisSessionsOptions } from "./options.js";
export { createRedisSessions } from "./sessions.js";
