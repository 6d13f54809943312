import { test } from "uvu";
import * as assert from "uvu/assert";
import type { EvaluateOptions } from "../../src/engine/evaluation.js";
import type { LoadedPlm } from "../../src/engine/load.js";
import type { Session } from "../../src/engine/session.js";
import {
  assertRejects,
  assertThrows,
  loadEngine,
  rejection,
  zeroShareOf,
} from "../model/support/engine.js";
import { SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

const { contextLength, vocabSize } = SMALL_DIMS;
const TOKENS = tinyTokens(20);
const REASON = new Error("enough");
const FILE = tinyModel({ type: "Q8_0" });

/** A model, a session, and a check that the session equals a fresh one. */
async function start(): Promise<{
  model: LoadedPlm;
  session: Session;
  assertUsable: (evaluated: readonly number[]) => Promise<void>;
}> {
  const model = await loadEngine(FILE);
  const session = model.createSession();
  const assertUsable = async (evaluated: readonly number[]): Promise<void> => {
    assert.is(session.length, evaluated.length);
    const fresh = model.createSession();
    // In chunks of 1, since the session's chunks may be cut anywhere.
    if (evaluated.length > 0) await fresh.evaluate(evaluated, { chunkSize: 1 });
    const expected = await fresh.evaluate([1, 2, 3], { chunkSize: 1 });
    assert.equal(await session.evaluate([1, 2, 3], { chunkSize: 1 }), expected);
    session.truncate(evaluated.length);
    fresh.dispose();
  };
  return { model, session, assertUsable };
}

test("a session knows its sizes", async () => {
  const { session } = await start();
  assert.is(session.vocabSize, vocabSize);
  assert.is(session.contextLength, contextLength);
  assert.is(session.length, 0);
});

test("a session knows its tokens: those evaluated, without those truncated", async () => {
  const { session } = await start();
  assert.equal([...session.tokens], []);
  await session.evaluate(TOKENS);
  const copy = session.tokens;
  session.truncate(7);
  await session.evaluate([5, 6], { chunkSize: 1 });
  assert.equal([...session.tokens], [...TOKENS.slice(0, 7), 5, 6]);
  assert.equal([...copy], TOKENS);
  copy.fill(0);
  assert.is(session.tokens[8], 6);
  const controller = new AbortController();
  const { signal } = controller;
  const evaluation = session.evaluate(TOKENS, { chunkSize: 4, signal });
  controller.abort(REASON);
  assert.is(await rejection(evaluation), REASON);
  assert.is(session.tokens.length, session.length);
  await session.evaluate(Array.from({ length: contextLength - session.length }, (_, i) => i));
  assert.is(session.tokens.length, contextLength);
});

test("logits are fresh arrays", async () => {
  const { session } = await start();
  const first = await session.evaluate(TOKENS);
  const copy = first.slice();
  await session.evaluate(TOKENS);
  assert.equal(first, copy);
});

test("the caller's tokens may change after the call of evaluate", async () => {
  const { session, assertUsable } = await start();
  const tokens = [...TOKENS];
  const promise = session.evaluate(tokens, { chunkSize: 1 });
  tokens.fill(0);
  await promise;
  await assertUsable(TOKENS);
});

test("nothing to evaluate", async () => {
  const { session, assertUsable } = await start();
  await session.evaluate(TOKENS, { chunkSize: 1 });
  await assertRejects(session.evaluate([]), "EMPTY_PROMPT");
  await assertUsable(TOKENS);
});

test("invalid tokens are named with their index", async () => {
  const { session, assertUsable } = await start();
  for (const bad of [-1, 0.5, Number.NaN, vocabSize, 2 ** 32, Infinity, "7", 7n, null, undefined]) {
    const tokens = [1, 2, bad as number, 3];
    const message = `ids from 0 to ${vocabSize - 1}, got ${bad} at 2`;
    await assertRejects(session.evaluate(tokens), "INVALID_TOKEN", message);
  }
  await assertUsable([]);
  await session.evaluate([0, vocabSize - 1]);
  assert.is(session.length, 2);
});

test("values that are not lists of tokens", async () => {
  const { session, assertUsable } = await start();
  for (const bad of [undefined, null, 7, new Set([1]), { length: 1.5 }, { length: -1 }]) {
    await assertRejects(session.evaluate(bad as number[]), "INVALID_ARGUMENT", "tokens");
  }
  await assertRejects(session.evaluate("abc" as unknown as number[]), "INVALID_TOKEN", "a at 0");
  await assertUsable([]);
});

test("bad options", async () => {
  const { session, assertUsable } = await start();
  const refused: [EvaluateOptions, string][] = [
    [{ chunkSize: 0 }, "chunkSize: expected a positive integer, got 0"],
    [{ chunkSize: -3 }, "chunkSize"],
    [{ chunkSize: 1.5 }, "chunkSize"],
    [{ chunkSize: Number.NaN }, "chunkSize"],
    [{ chunkSize: "2" as unknown as number }, "chunkSize"],
    [{ logits: "some" as "all" }, 'logits: expected last, all, none, got "some"'],
    [{ logits: "toString" as "all" }, 'logits: expected last, all, none, got "toString"'],
  ];
  for (const [options, message] of refused) {
    await assertRejects(session.evaluate(TOKENS, options), "INVALID_ARGUMENT", message);
  }
  await assertUsable([]);
});

test("a full context refuses more and stays as it was", async () => {
  const { session, assertUsable } = await start();
  const almost = tinyTokens(contextLength - 3);
  await session.evaluate(almost, { chunkSize: 1 });
  const message = `at most 3 more tokens (context ${contextLength}, in use ${contextLength - 3})`;
  await assertRejects(session.evaluate([1, 2, 3, 4]), "CONTEXT_FULL", message, "got 4");
  await assertUsable(almost);
  await session.evaluate([1, 2, 3]);
  await assertRejects(session.evaluate([1]), "CONTEXT_FULL", "at most 0 more");
  session.truncate(0);
  await assertRejects(session.evaluate(tinyTokens(contextLength + 1)), "CONTEXT_FULL");
  await assertUsable([]);
});

test("truncate takes a length within the sequence", async () => {
  const { session, assertUsable } = await start();
  await session.evaluate(TOKENS, { chunkSize: 1 });
  for (const bad of [-1, 21, 1.5, Number.NaN, "3" as unknown as number]) {
    assertThrows(
      () => session.truncate(bad),
      "INVALID_ARGUMENT",
      "length: expected",
      "from 0 to 20",
    );
  }
  await assertUsable(TOKENS);
  session.truncate(20);
  session.truncate(7);
  await assertUsable(TOKENS.slice(0, 7));
});

test("one call at a time", async () => {
  const { session, assertUsable } = await start();
  const first = session.evaluate(TOKENS, { chunkSize: 1 });
  await assertRejects(session.evaluate([1]), "SESSION_BUSY");
  assertThrows(() => session.truncate(0), "SESSION_BUSY");
  await first;
  await assertUsable(TOKENS);
});

test("a signal that is aborted already stops all work", async () => {
  const { session, assertUsable } = await start();
  const options = { signal: AbortSignal.abort(REASON) };
  assert.is(await rejection(session.evaluate(TOKENS, options)), REASON);
  await assertUsable([]);
});

test("an abort in the middle keeps the chunks that were done", async () => {
  const { session, assertUsable } = await start();
  const controller = new AbortController();
  setImmediate(() => setImmediate(() => controller.abort(REASON)));
  const options = { chunkSize: 2, signal: controller.signal };
  assert.is(await rejection(session.evaluate(TOKENS, options)), REASON);
  const { length } = session;
  assert.ok(length > 0 && length < TOKENS.length && length % 2 === 0, `${length} tokens`);
  session.truncate(length);
  assert.ok((await session.evaluate(TOKENS.slice(length))).every(Number.isFinite));
  session.truncate(0);
  await assertUsable([]);
});

test("an abort in decode keeps every token so far", async () => {
  const { session, assertUsable } = await start();
  const controller = new AbortController();
  setImmediate(() => controller.abort(REASON));
  const options = { chunkSize: 1, signal: controller.signal };
  assert.is(await rejection(session.evaluate(TOKENS, options)), REASON);
  await assertUsable(TOKENS.slice(0, session.length));
});

test("any number of sessions: those that wait give their pages to one that goes on", async () => {
  const model = await loadEngine(FILE, { cacheTokens: contextLength });
  const sessions = Array.from({ length: 5 }, () => model.createSession());
  const expected = (await loadEngine(FILE)).createSession();
  await expected.evaluate(TOKENS);
  const [first, second] = [await expected.evaluate([5]), await expected.evaluate([6])];
  for (const session of sessions) await session.evaluate(TOKENS);
  assert.is(model.pagesInUse, model.plan.pages.count);
  for (const session of sessions) assert.equal(await session.evaluate([5]), first);
  for (const session of sessions) {
    assert.equal([...session.tokens], [...TOKENS, 5]);
    const fork = session.fork();
    assert.equal(await session.evaluate([6]), second);
    assert.equal(await fork.evaluate([6]), second);
    fork.dispose();
    session.dispose();
    session.dispose();
  }
  assert.is(model.pagesInUse, 0);
});

test("a disposed session is over", async () => {
  const { session } = await start();
  await session.evaluate(TOKENS);
  session.dispose();
  await assertRejects(session.evaluate([1]), "DISPOSED");
  assertThrows(() => session.truncate(0), "DISPOSED");
});

test("a session may be disposed of while it evaluates; its pages become free", async () => {
  const model = await loadEngine(FILE);
  const session = model.createSession();
  const evaluation = session.evaluate(TOKENS, { chunkSize: 1 });
  session.dispose();
  const next = model.createSession();
  const logits = next.evaluate(TOKENS, { chunkSize: 1 });
  await assertRejects(evaluation, "DISPOSED");
  const actual = await logits;
  next.truncate(0);
  assert.equal(await next.evaluate(TOKENS, { chunkSize: 1 }), actual);
});

test("a model that is disposed of ends its sessions", async () => {
  const { model, session } = await start();
  const evaluation = session.evaluate(TOKENS, { chunkSize: 1 });
  model.dispose();
  model.dispose();
  await assertRejects(evaluation, "DISPOSED");
  await assertRejects(session.evaluate([1]), "DISPOSED");
  assertThrows(() => model.createSession(), "DISPOSED");
});

test("tokens are read once: what is checked is what is evaluated", async () => {
  const { session } = await start();
  class Changing extends Array<number> {
    override *[Symbol.iterator](): ArrayIterator<number> {
      for (let i = 0; i < 1000; i++) yield 1e9;
    }
  }
  await session.evaluate(Changing.from({ length: 3 }, () => 5));
  assert.equal(Array.from(session.tokens), [5, 5, 5]);
});

test("an array for the result that is transferred meanwhile is refused", async () => {
  const { model, session } = await start();
  const out = new Float32Array(model.config.vocabSize);
  const evaluation = session.evaluate(TOKENS, { out, chunkSize: 1 });
  structuredClone(out.buffer, { transfer: [out.buffer] });
  await assertRejects(evaluation, "INVALID_ARGUMENT", "out: expected");
  await assertRejects(session.evaluate([1], null as never), "INVALID_ARGUMENT", "options");
});

test("the zero share counts what was evaluated", async () => {
  const { model, session } = await start();
  assert.equal(model.sparsity, { activations: 0, nonZero: 0 });
  await session.evaluate(TOKENS);
  const zeroShare = zeroShareOf(model);
  assert.ok(zeroShare > 0.2 && zeroShare < 0.8, `${zeroShare}`);
});

test.run();
