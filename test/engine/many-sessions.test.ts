/** Sessions that wait for one another: for pages, for their turn, for a thread that is lost. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadedPlm, LoadOptions } from "../../src/engine/load.js";
import type { LocalSession } from "../../src/engine/local-session.js";
import type { Session } from "../../src/engine/session.js";
import { PlmError } from "../../src/errors.js";
import type { ModelSource } from "../../src/sources/source.js";
import { withLostJoin } from "../kernels/support/lost-join.js";
import { assertRejects, loadEngine, rejection } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";
import { collect } from "../support/collect.js";

const CONTEXT = 256;
const FILE = tinyModel({ dims: { ...SMALL_DIMS, contextLength: CONTEXT }, type: "Q8_0" });
/** More than half of the cache. */
const TOKENS = tinyTokens(150);
const OTHERS = tinyTokens(150, 2);
const NEXT = tinyTokens(20, 3);
const REASON = new Error("enough");

// More threads than the machine may have processors.
let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** Runs a test with a model, and checks that it leaves no pages in use. */
async function withModel(
  options: LoadOptions,
  use: (model: LoadedPlm) => Promise<void>,
): Promise<void> {
  const model = await loadEngine(FILE, { attention: "absorbed", ...options });
  await use(model);
  assert.is(model.pagesInUse, 0);
  model.dispose();
}

/** The logits of pieces of tokens, alone. */
async function alone(...pieces: number[][]): Promise<Float32Array> {
  const session = (await loadEngine(FILE, { attention: "absorbed" })).createSession();
  let logits = new Float32Array(0);
  for (const tokens of pieces) logits = (await session.evaluate(tokens)) as typeof logits;
  return logits;
}

/** Makes others give up their pages. */
async function fillCache(model: LoadedPlm): Promise<void> {
  const session = model.createSession();
  await session.evaluate(OTHERS);
  session.dispose();
}

/** A session of TOKENS whose pages another has taken. */
async function putBack(model: LoadedPlm): Promise<Session> {
  const session = model.createSession();
  await session.evaluate(TOKENS);
  await fillCache(model);
  assert.ok((session as LocalSession).sequence.cache.length === 0, "it was put back");
  return session;
}

/** Fails unless a session of TOKENS was saved. */
async function assertSaved(model: LoadedPlm, saved: ModelSource): Promise<void> {
  const { session } = await model.restoreSession(saved);
  assert.equal([...session.tokens], TOKENS);
  assert.equal(await session.evaluate(NEXT), await alone(TOKENS, NEXT));
  session.dispose();
}

for (const prefixCache of [false, true]) {
  const what = prefixCache ? "with reuse" : "without reuse";

  test(`a session that was put back is saved, forked and cut as any other, ${what}`, async () => {
    const expected = await alone(TOKENS, NEXT);
    const cut = await alone(TOKENS.slice(0, 70), NEXT);
    await withModel({ prefixCache }, async (model) => {
      const session = await putBack(model);
      assert.equal([...session.tokens], TOKENS);
      const saved = await session.save();
      assert.equal(await session.evaluate(NEXT), expected);
      session.dispose();
      await assertSaved(model, saved);
      const again = await putBack(model);
      const fork = again.fork();
      assert.equal(await fork.evaluate(NEXT), expected);
      assert.equal(await again.evaluate(NEXT), expected);
      again.dispose();
      fork.dispose();
      const shorter = await putBack(model);
      shorter.truncate(70);
      assert.equal(await shorter.evaluate(NEXT), cut);
      shorter.truncate(0);
      assert.equal(await shorter.evaluate(NEXT), await alone(NEXT));
      shorter.dispose();
    });
  });

  test(`saves of a session that was put back are aborted and cancelled, ${what}`, async () => {
    await withModel({ prefixCache }, async (model) => {
      const session = await putBack(model);
      for (const turns of [0, 1, 2, 3]) {
        const controller = new AbortController();
        const saving = rejection(session.save({ signal: controller.signal }));
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
        controller.abort(REASON);
        if (turns < 2) assert.is(await saving, REASON);
        else await saving.catch(() => undefined);
      }
      const reader = session.saveStream().getReader();
      const reading = reader.read();
      await reader.cancel();
      await reading;
      const saved = session.save();
      session.dispose();
      await assertSaved(model, await saved);
    });
  });
}

test("a save under way is waited for", async () => {
  const expected = await alone(OTHERS);
  await withModel({}, async (model) => {
    const [session, other] = [model.createSession(), model.createSession()];
    await session.evaluate(TOKENS);
    const saving = session.save();
    assert.equal(await other.evaluate(OTHERS), expected);
    await assertSaved(model, await saving);
    for (const each of [session, other]) each.dispose();
  });
});

test("a session is restored while others wait for their turn, which then go on", async () => {
  const source = (await loadEngine(FILE, { attention: "absorbed" })).createSession();
  await source.evaluate(TOKENS);
  const saved = await source.save();
  // Room for two of the three.
  await withModel({ contextLength: CONTEXT, cacheTokens: 384 }, async (model) => {
    const sessions = [model.createSession(), model.createSession()];
    for (const session of sessions) await session.evaluate(OTHERS.slice(0, 130));
    const rest = OTHERS.slice(130);
    const waiting = sessions.map((session) => session.evaluate(rest, { chunkSize: 1 }));
    await assertSaved(model, saved);
    const [logits, other] = await Promise.all(waiting);
    assert.equal(logits, other);
    for (const session of sessions) session.dispose();
    const session = model.createSession();
    await session.evaluate(OTHERS.slice(0, 130));
    assert.equal(await session.evaluate(rest, { chunkSize: 1 }), logits);
    session.dispose();
  });
});

test("a stream of which nothing is read keeps no pages, and is read later", async () => {
  await withModel({}, async (model) => {
    const session = model.createSession();
    await session.evaluate(TOKENS);
    const stream = session.saveStream();
    await fillCache(model);
    await assertSaved(model, new Uint8Array(await new Response(stream).arrayBuffer()));
    session.dispose();
  });
});

test("a restored session is not put back: one that needs its pages waits or fails", async () => {
  const source = (await loadEngine(FILE, { attention: "absorbed" })).createSession();
  await source.evaluate(TOKENS);
  const saved = await source.save();
  const step = { chunkSize: 1 };
  const expected = await source.evaluate(NEXT, step);
  await withModel({ cacheTokens: 2 * CONTEXT }, async (model) => {
    const old = model.createSession();
    await old.evaluate([1]);
    const { session: restored } = await model.restoreSession(saved);
    const { session: second } = await model.restoreSession(saved);
    // Both wait for rows when the old one needs their pages.
    const [needed, first, other] = await Promise.allSettled([
      old.evaluate(TOKENS, { chunkSize: 20 }),
      restored.evaluate(NEXT, step),
      second.evaluate(NEXT, step),
    ]);
    assert.is(needed.status === "rejected" && needed.reason.code, "CACHE_FULL");
    for (const { value } of [first, other] as PromiseFulfilledResult<Float32Array>[]) {
      assert.equal(value, expected);
    }
    restored.dispose();
    await old.evaluate(TOKENS.slice(old.length - 1));
    for (const session of [old, second]) session.dispose();
  });
});

test("a session that is disposed of in the queue leaves it, and its neighbours stay", async () => {
  const expected = await alone(TOKENS);
  await withModel({ maxSequences: 1, batchSize: 16 }, async (model) => {
    const sessions = Array.from({ length: 5 }, () => model.createSession());
    const waiting = sessions.map((session) => session.evaluate(TOKENS));
    const gone = [1, 3].map((i) => assertRejects(waiting[i], "DISPOSED"));
    for (const i of [1, 3]) sessions[i].dispose();
    await Promise.all(gone);
    for (const i of [0, 2, 4]) assert.equal(await waiting[i], expected);
    for (const session of sessions) session.dispose();
  });
});

test("an array for the result that is transferred in the queue is refused", async () => {
  const expected = await alone(TOKENS);
  await withModel({ maxSequences: 1, batchSize: 16 }, async (model) => {
    const [first, second] = [model.createSession(), model.createSession()];
    const out = new Float32Array(model.config.vocabSize);
    const waiting = [first.evaluate(TOKENS), second.evaluate(TOKENS, { out })];
    structuredClone(out.buffer, { transfer: [out.buffer] });
    await assertRejects(waiting[1], "INVALID_ARGUMENT", "out: expected");
    assert.equal(await waiting[0], expected);
    assert.is(second.length, 0);
    assert.equal(await second.evaluate(TOKENS), expected);
    for (const session of [first, second]) session.dispose();
  });
});

test("sessions that nothing refers to are evaluated as long as someone waits", async () => {
  const expected = await alone(TOKENS);
  const model = await loadEngine(FILE, { attention: "absorbed", batchSize: 16 });
  const waiting = Array.from({ length: 20 }, () => model.createSession().evaluate(TOKENS));
  for (let i = 0; i < 20; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const logits of await Promise.all(waiting)) assert.equal(logits, expected);
  for (let i = 0; i < 500 && model.pagesInUse > 0; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test("a thread that is lost ends a batch, and all go on alone once it has ended", async () => {
  const expected = await alone(NEXT, TOKENS);
  await withModel({ threads: 3, maxSequences: 4, cacheTokens: 8 * CONTEXT }, async (model) => {
    const sessions = Array.from({ length: 7 }, () => model.createSession());
    await Promise.all(sessions.map((session) => session.evaluate(NEXT)));
    const used = model.pagesInUse;
    await withLostJoin(5, async () => {
      const ends = await Promise.allSettled(sessions.map((session) => session.evaluate(TOKENS)));
      // The threads may have ended when those that were not in the batch have their turn.
      for (const end of ends) {
        if (end.status === "fulfilled") assert.equal(end.value, expected);
        else assert.is(end.reason.code, "THREAD_LOST");
      }
      assert.ok(ends.some(({ status }) => status === "rejected"));
    });
    for (const session of sessions) session.truncate(NEXT.length);
    assert.is(model.pagesInUse, used);
    const logits = await Promise.all(sessions.map(evaluateOnceAble));
    for (const each of logits) assert.equal(each, expected);
    assert.is(model.threads, 1);
    for (const session of sessions) session.dispose();
  });
});

/** What evaluating comes to when THREAD_LOST is over, some seconds at most. */
async function evaluateOnceAble(session: Session): Promise<Float32Array> {
  for (let tries = 0; tries < 100; tries++) {
    const found = await session.evaluate(TOKENS).catch((error: PlmError) => error);
    if (!(found instanceof PlmError)) return found;
    assert.is(found.code, "THREAD_LOST");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.unreachable("the threads do not end") as never;
}

test.run();
