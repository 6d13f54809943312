/** Sessions in a real Redis: turns of several processes, their locks and their ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { test as each } from "uvu";
import * as assert from "uvu/assert";
import type { Conversation, Model } from "../../src/index.js";
import type { SessionStore, TurnSave } from "../../src/redis/index.js";
import { assertRejects } from "../model/support/engine.js";
import { loadSmall, shareRedis } from "./support/redis.js";

const { redis, test } = await shareRedis();
const models = await Promise.all([loadSmall(), loadSmall({ worker: true })]);
each.after(async () => {
  for (const model of models) model.dispose();
  await redis.stop();
});

const QUESTIONS = ["Once upon", "a cat", "Why?", "and then", "the dog", "The end"];
const ANSWER = { maxTokens: 20, seed: 7, ignoreEos: true } as const;

async function conversationOf(
  model: Model,
  saved: AsyncIterable<Uint8Array> | undefined,
): Promise<Conversation> {
  return saved === undefined ? model.createConversation() : model.restoreConversation(saved);
}

/** One turn: restores, asks, saves. */
async function takeTurn(
  store: SessionStore,
  model: Model,
  id: string,
  question: string,
): Promise<TurnSave & { text: string; length: number }> {
  const turn = await store.open(id);
  try {
    const conversation = await conversationOf(model, turn.saved);
    const text = await conversation.ask(question, ANSWER).text();
    const saved = await turn.save(conversation);
    const { length } = conversation;
    conversation.dispose();
    return { ...saved, text, length };
  } finally {
    await turn.close();
  }
}

test("every turn in another process gives the text of one, and writes its new pages", async () => {
  const stores = models.map(() => redis.connect());
  const alone = models[0].createConversation();
  const { layers, rowBytes } = { layers: 2, rowBytes: 112 };
  for (const [i, question] of QUESTIONS.entries()) {
    const turn = await takeTurn(stores[i % 2], models[i % 2], "six turns", question);
    const before = alone.length;
    assert.is(turn.text, await alone.ask(question, ANSWER).text());
    assert.is(turn.length, alone.length);
    // Whole pages before the turn stay; with tokens and messages less than 4 KiB is added to rows.
    const newRows = alone.length - 64 * Math.floor((before - 1) / 64);
    assert.ok(turn.writtenBytes <= newRows * layers * rowBytes + 4096, `turn ${i}`);
    assert.ok(turn.bytes >= alone.length * layers * rowBytes, `turn ${i}`);
  }
  assert.ok(alone.length > 128, `${alone.length} tokens are more than two pages`);
  const pieces = Number(redis.server.command("HLEN", "plm:session:{six turns}"));
  assert.is(pieces, 2 + Math.ceil(alone.length / 64));
  alone.dispose();
});

test("a session ends some time after its last turn, and when it is deleted", async () => {
  const store = redis.connect({ ttlSeconds: 1 });
  await takeTurn(store, models[0], "short", "Once");
  await sleep(600);
  await (await store.open("short")).close();
  await sleep(600);
  const turn = await store.open("short");
  assert.ok(turn.saved !== undefined, "a turn prolongs it");
  await turn.close();
  await sleep(1300);
  assert.is(redis.server.command("KEYS", "plm:session:{short}*"), "");
  await takeTurn(store, models[0], "short", "Once");
  await store.delete("short");
  assert.is(redis.server.command("KEYS", "plm:session:{short}*"), "");
});

test("a second writer waits, and is refused after its time", async () => {
  const store = redis.connect();
  const first = await store.open("one writer");
  const start = performance.now();
  await assertRejects(store.open("one writer", { waitMs: 200 }), "SESSION_BUSY", "one writer");
  assert.ok(performance.now() - start < 2000);
  const reason = new Error("enough");
  const signal = AbortSignal.timeout(50);
  const aborted = store.open("one writer", { signal }).catch((error: unknown) => error);
  assert.is(await aborted, signal.reason);
  const controller = new AbortController();
  controller.abort(reason);
  const never = store.open("one writer", { signal: controller.signal });
  assert.is(await never.catch((error: unknown) => error), reason);
  const second = store.open("one writer");
  await first.close();
  await (await second).close();
});

test("writers at the same time take turns: none of their answers is lost", async () => {
  const writers = Array.from({ length: 5 }, () => redis.connect());
  const turns = writers.flatMap((store, i) =>
    [0, 1].map(() => takeTurn(store, models[i % 2], "crowd", "x")),
  );
  await Promise.all(turns);
  const turn = await writers[0].open("crowd");
  const conversation = await conversationOf(models[0], turn.saved);
  assert.is(conversation.messages.length, 20);
  conversation.dispose();
  await turn.close();
});

test("a turn whose process is gone ends by itself; what that writes later is refused", async () => {
  const [model] = models;
  const store = redis.connect({ lockMs: 300 });
  await takeTurn(store, model, "gone", "Once");
  const stale = await store.open("gone");
  const staleOne = await conversationOf(model, stale.saved);
  await staleOne.ask("late", ANSWER).text();
  // As if its process had stood still: its lock is not prolonged.
  redis.server.command("DEL", "plm:session:{gone}:lock");
  const { text } = await takeTurn(redis.connect(), model, "gone", "on time");
  await assertRejects(stale.save(staleOne), "SESSION_BUSY", "gone");
  await stale.close();
  staleOne.dispose();
  const turn = await store.open("gone");
  const conversation = await conversationOf(model, turn.saved);
  const contents = conversation.messages.map(({ content }) => content);
  assert.equal(contents.slice(2), ["on time", text]);
  conversation.dispose();
  await turn.close();
});

test("a turn that lasts keeps its lock", async () => {
  const store = redis.connect({ lockMs: 300 });
  const turn = await store.open("long");
  await sleep(900);
  await assertRejects(redis.connect().open("long", { waitMs: 0 }), "SESSION_BUSY", "long");
  await turn.close();
  await (await store.open("long", { waitMs: 0 })).close();
});

each.run();
