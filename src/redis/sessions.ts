/** Sessions in Redis, which any of several processes goes on with. */
import { checkOptions, checkSignal } from "../brands.js";
import { describeValue } from "../describe.js";
import { invalidArgument } from "../errors.js";
import {
  MOST_SESSION_ID,
  type OpenTurnOptions,
  type SessionStore,
} from "../generation/session-store.js";
import { Commands, textOf } from "./commands.js";
import { Lock, type SessionKeys } from "./lock.js";
import { type RedisSessionsOptions, resolveRedisOptions } from "./options.js";
import { RedisTurn } from "./turn.js";

/**
 * A store of sessions in Redis: a conversation whose every turn is answered by another process goes
 * on from its saved pages.
 *
 *     const sessions = createRedisSessions({ redis: new Redis(url), ttlSeconds: 3600 });
 *     const turn = await sessions.open("chat-42");
 *     try {
 *       const conversation = turn.saved
 *         ? await model.restoreConversation(turn.saved)
 *         : model.createConversation();
 *       for await (const piece of conversation.ask(question)) show(piece);
 *       await turn.save(conversation);
 *       conversation.dispose();
 *     } finally {
 *       await turn.close();
 *     }
 *
 * Each save writes the pages that are new, and becomes valid in one step. Throws INVALID_ARGUMENT.
 */
export function createRedisSessions(options: RedisSessionsOptions): SessionStore {
  const resolved = resolveRedisOptions(options);
  const { prefix, lockMs, ttlSeconds } = resolved;
  const commands = new Commands(resolved);
  const take = (id: string, options: OpenTurnOptions): Promise<Lock> => {
    checkOptions(options);
    const signal = checkSignal(options.signal);
    const { waitMs = 10_000 } = options;
    if (!(waitMs >= 0)) throw invalidArgument("waitMs", "at least 0", describeValue(waitMs));
    return Lock.take(commands, keysOf(prefix, id), { lockMs, waitMs, signal });
  };
  return {
    async open(id, options = {}) {
      const lock = await take(id, options);
      const { session } = lock.keys;
      try {
        const pieces = await commands.send("HGET", [session, "pieces"], options.signal);
        await commands.send("EXPIRE", [session, ttlSeconds], options.signal);
        const names = pieces === null ? [] : textOf(pieces).split(" ");
        return new RedisTurn(commands, lock, resolved, names);
      } catch (error) {
        void lock.release();
        throw error;
      }
    },
    async delete(id, options = {}) {
      const lock = await take(id, options);
      try {
        await commands.send("DEL", [lock.keys.session], options.signal);
      } finally {
        await lock.release();
      }
    },
  };
}

function keysOf(prefix: string, id: string): SessionKeys {
  if (typeof id !== "string" || id === "" || id.length > MOST_SESSION_ID) {
    const expected = `a text of 1 to ${MOST_SESSION_ID} characters`;
    throw invalidArgument("id", expected, describeValue(id));
  }
  // What stands in braces decides where in a cluster a key is.
  const session = `${prefix}{${id}}`;
  return { id, session, lock: `${session}:lock` };
}
