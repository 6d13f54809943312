/** A Redis that is full, late or gone, and sessions that cannot be gone on with. */
import { test as each } from "uvu";
import * as assert from "uvu/assert";
import type { Conversation, Model } from "../../src/index.js";
import { createRedisSessions, type SessionStore } from "../../src/redis/index.js";
import { assertRejects, assertThrows } from "../model/support/engine.js";
import { tinyModel } from "../model/support/tiny.js";
import { loadSmall, shareRedis } from "./support/redis.js";

const { redis, test } = await shareRedis({ keeps: true });
const model = await loadSmall();
each.after(async () => {
  model.dispose();
  await redis.stop();
});

const ANSWER = { maxTokens: 60, seed: 7, ignoreEos: true } as const;
const KEY = (id: string): string => `plm:session:{${id}}`;

/** A conversation of more than two pages, saved. */
async function saveLong(store: SessionStore, id: string, of: Model = model): Promise<Conversation> {
  const conversation = of.createConversation();
  for (const question of ["Once", "upon"]) await conversation.ask(question, ANSWER).text();
  const turn = await store.open(id);
  await turn.save(conversation);
  await turn.close();
  return conversation;
}

/** The messages that are saved. */
async function savedMessages(store: SessionStore, id: string): Promise<unknown> {
  const turn = await store.open(id);
  const conversation = await model.restoreConversation(turn.saved!);
  const { messages } = conversation;
  conversation.dispose();
  await turn.close();
  return messages;
}

test("a Redis that does not answer fails in time; afterwards all is there", async () => {
  const store = redis.connect({ timeoutMs: 200 });
  const conversation = await saveLong(store, "late");
  const expected = [...conversation.messages];
  const turn = await store.open("late");
  redis.server.pause();
  await conversation.ask("more", ANSWER).text();
  await assertRejects(turn.save(conversation), "STORE_UNAVAILABLE", "0.2 seconds");
  await assertRejects(store.open("other"), "STORE_UNAVAILABLE");
  await turn.close();
  redis.server.resume();
  assert.equal(await savedMessages(redis.connect(), "late"), expected);
  conversation.dispose();
});

test("a Redis that is gone fails; once it is back, what it kept goes on", async () => {
  const store = redis.connect({ timeoutMs: 500 });
  const conversation = await saveLong(store, "back");
  const expected = [...conversation.messages];
  await redis.server.kill();
  await assertRejects(store.open("back"), "STORE_UNAVAILABLE");
  await redis.server.restart();
  const patient = redis.connect({ timeoutMs: 10_000 });
  assert.equal(await savedMessages(patient, "back"), expected);
  conversation.dispose();
});

test("a Redis that is full keeps what it has, and takes more when there is room", async () => {
  const store = redis.connect();
  const conversation = await saveLong(store, "full");
  const expected = [...conversation.messages];
  await conversation.ask("more", ANSWER).text();
  const turn = await store.open("full");
  redis.server.command("CONFIG", "SET", "maxmemory", "1");
  await assertRejects(turn.save(conversation), "STORE_FULL", "maxmemory");
  redis.server.command("CONFIG", "SET", "maxmemory", "0");
  const restored = await model.restoreConversation(turn.saved!);
  assert.equal(restored.messages, expected);
  restored.dispose();
  await turn.save(conversation);
  await turn.close();
  assert.equal(await savedMessages(store, "full"), conversation.messages);
  conversation.dispose();
});

test("a session that is too large is refused before anything is written", async () => {
  const store = redis.connect({ maxBytes: 20_000 });
  const conversation = model.createConversation();
  await conversation.ask("Once", { ...ANSWER, maxTokens: 10 }).text();
  const turn = await store.open("large");
  await turn.save(conversation);
  const before = redis.server.command("HGET", KEY("large"), "pieces");
  await conversation.ask("more", { ...ANSWER, maxTokens: 150 }).text();
  await assertRejects(turn.save(conversation), "STORE_FULL", "at most 20000 bytes", "large");
  assert.is(redis.server.command("HGET", KEY("large"), "pieces"), before);
  await turn.close();
  conversation.dispose();
});

test("pieces that Redis lost meanwhile are written again", async () => {
  const store = redis.connect();
  const conversation = await saveLong(store, "evicted");
  const turn = await store.open("evicted");
  redis.server.command("DEL", KEY("evicted"));
  await conversation.ask("more", { ...ANSWER, maxTokens: 5 }).text();
  const { bytes, writtenBytes } = await turn.save(conversation);
  assert.is(writtenBytes, bytes);
  await turn.close();
  assert.equal(await savedMessages(store, "evicted"), conversation.messages);
  conversation.dispose();
});

test("a session that lacks a piece, or is damaged, is refused and takes no pages", async () => {
  const store = redis.connect();
  const conversation = await saveLong(store, "damaged");
  conversation.dispose();
  const names = redis.server.command("HGET", KEY("damaged"), "pieces").split(" ");
  const { pagesInUse } = model;
  for (const name of names) {
    const turn = await store.open("damaged");
    redis.server.command("HSET", KEY("damaged"), "pieces", names.join(" ").replace(name, "9:none"));
    const lacking = await store.open("damaged", { waitMs: 0 }).catch(() => turn);
    assert.is(lacking, turn);
    await turn.close();
    const broken = await store.open("damaged");
    await assertRejects(model.restoreConversation(broken.saved!), "INVALID_FILE", "9:none");
    await broken.close();
  }
  redis.server.command("HSET", KEY("damaged"), "pieces", names.toReversed().join(" "));
  const turned = await store.open("damaged");
  await assertRejects(model.restoreConversation(turned.saved!), "INVALID_FILE");
  await turned.close();
  assert.is(model.pagesInUse, pagesInUse);
});

test("a session of another model is refused, and replaced by the next save", async () => {
  const store = redis.connect();
  const file = tinyModel({ type: "Q8_0", chatTemplate: "{{ messages[0].content }}" });
  const other = await loadSmall();
  (await saveLong(store, "other", other)).dispose();
  other.dispose();
  const { loadModel } = await import("../../src/index.js");
  const tiny = await loadModel(file);
  const turn = await store.open("other");
  await assertRejects(tiny.restoreConversation(turn.saved!), "UNSUPPORTED_FILE", "model");
  const session = tiny.createSession();
  await session.evaluate([1, 2, 3]);
  await turn.save(session);
  await turn.close();
  const next = await store.open("other");
  const restored = await tiny.restoreSession(next.saved!);
  assert.equal([...restored.tokens], [1, 2, 3]);
  await next.close();
  tiny.dispose();
});

test("options and ids that are none are refused by name", async () => {
  const client = { callBuffer: async () => null };
  assertThrows(
    () => createRedisSessions({ redis: {} as typeof client }),
    "INVALID_ARGUMENT",
    "redis",
  );
  for (const name of ["ttlSeconds", "maxBytes", "lockMs", "timeoutMs"]) {
    const make = (): unknown => createRedisSessions({ redis: client, [name]: 0 });
    assertThrows(make, "INVALID_ARGUMENT", name);
  }
  const store = redis.connect();
  for (const id of ["", "x".repeat(257), 7 as unknown as string]) {
    await assertRejects(store.open(id), "INVALID_ARGUMENT", "id");
  }
});

each.run();
