/** Forked, saved and restored sessions: what they keep, and what is refused. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadedPlm, LoadOptions } from "../../src/engine/load.js";
import { PlmError } from "../../src/errors.js";
import { assertRejects, assertThrows, loadEngine, rejection } from "../model/support/engine.js";
import { Q8_CACHE_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

const DIMS = { ...Q8_CACHE_DIMS, numHiddenLayers: 2, contextLength: 150 };
const FILE = tinyModel({ dims: DIMS, type: "Q8_0" });
const TOKENS = tinyTokens(70);
const PAGES = 2 * DIMS.numHiddenLayers;

/** Runs a test with a model, and checks that it leaves no pages in use. */
async function withModel(
  options: LoadOptions,
  use: (model: LoadedPlm) => Promise<void>,
): Promise<void> {
  const model = await loadEngine(FILE, options);
  await use(model);
  assert.is(model.pagesInUse, 0);
  const session = model.createSession();
  assert.ok((await session.evaluate([1, 2, 3])).every(Number.isFinite), "still usable");
  model.dispose();
}

/** The bytes of a session of TOKENS. */
async function savedBytes(options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const model = await loadEngine(FILE, options);
  const session = model.createSession();
  await session.evaluate(TOKENS);
  return session.save();
}

test("a fork shares all pages until one of the two writes to them", async () => {
  await withModel({}, async (model) => {
    const session = model.createSession();
    await session.evaluate(TOKENS);
    assert.is(model.pagesInUse, PAGES);
    const fork = session.fork();
    assert.equal([model.pagesInUse, fork.length, fork.tokens], [PAGES, 70, session.tokens]);
    const [one, other] = [await session.evaluate([5]), await fork.evaluate([5])];
    assert.equal(one, other);
    assert.is(model.pagesInUse, PAGES + DIMS.numHiddenLayers, "the last page of each layer");
    await fork.evaluate([6]);
    assert.equal(Array.from(session.tokens), [...TOKENS, 5]);
    assert.equal(Array.from(fork.tokens), [...TOKENS, 5, 6]);
    session.dispose();
    assert.ok((await fork.evaluate([7])).every(Number.isFinite));
    fork.dispose();
  });
});

test("a session is saved as it is at the call, and may continue", async () => {
  await withModel({}, async (model) => {
    const session = model.createSession();
    await session.evaluate(TOKENS);
    const saving = session.save();
    session.truncate(3);
    await session.evaluate([9, 9, 9]);
    const { session: restored } = await model.restoreSession(await saving);
    assert.equal(Array.from(restored.tokens), [...TOKENS]);
    session.dispose();
    restored.dispose();
  });
});

test("an empty session is saved and restored too", async () => {
  await withModel({}, async (model) => {
    const { session } = await model.restoreSession(await model.createSession().save());
    assert.is(session.length, 0);
    session.dispose();
  });
});

test("bytes, blobs and streams are sources", async () => {
  const bytes = await savedBytes();
  await withModel({}, async (model) => {
    for (const source of [bytes, bytes.buffer, new Blob([bytes]), new Blob([bytes]).stream()]) {
      const { session } = await model.restoreSession(source);
      assert.equal(Array.from(session.tokens), [...TOKENS]);
      session.dispose();
    }
  });
});

test("a stream has as many bytes, and gives its pages back when it is cancelled", async () => {
  const bytes = await savedBytes();
  await withModel({}, async (model) => {
    const { session } = await model.restoreSession(bytes);
    const chunks: number[] = [];
    for await (const chunk of session.saveStream()) chunks.push(...chunk);
    assert.equal(Uint8Array.from(chunks), bytes);
    const reader = session.saveStream().getReader();
    await reader.read();
    session.dispose();
    assert.is(model.pagesInUse, PAGES);
    await reader.cancel();
  });
});

test("a saved session that is truncated or changed anywhere is refused", async () => {
  const bytes = await savedBytes();
  await withModel({}, async (model) => {
    const places = Array.from({ length: 60 }, (_, i) => Math.floor((i * bytes.length) / 60));
    for (const at of [...places, 1, 7, 8, 12, 16, 24, bytes.length - 1]) {
      const cut = await rejection(model.restoreSession(bytes.slice(0, at)));
      assert.is(PlmError.from(cut)?.code, "INVALID_FILE", `cut at ${at}`);
      const changed = bytes.slice();
      changed[at] ^= 0x10;
      const { code } = PlmError.from(await rejection(model.restoreSession(changed)))!;
      assert.ok(
        code === "INVALID_FILE" || (code === "UNSUPPORTED_FILE" && at < 12),
        `${at} ${code}`,
      );
      assert.is(model.pagesInUse, 0);
    }
  });
});

test("a session of another model, cache or context is refused", async () => {
  const bytes = await savedBytes();
  const other = await loadEngine(tinyModel({ dims: DIMS, type: "Q8_0", seed: 2 }));
  await assertRejects(other.restoreSession(bytes), "UNSUPPORTED_FILE", "one of model");
  await withModel({ cacheType: "f32" }, async (model) => {
    const message = 'one of cache type "f32", got "i16"';
    await assertRejects(model.restoreSession(bytes), "UNSUPPORTED_FILE", message);
  });
  await withModel({ contextLength: 69 }, async (model) => {
    const message = "at most 69 tokens (the context), got 70";
    await assertRejects(model.restoreSession(bytes), "CONTEXT_FULL", message);
  });
  await withModel({}, async (model) => {
    await assertRejects(model.restoreSession(FILE), "INVALID_FILE", "PLMSESSN");
    await assertRejects(
      model.restoreSession([bytes, bytes]),
      "INVALID_ARGUMENT",
      "one file, got 2",
    );
    const aborted = model.restoreSession(bytes, { signal: AbortSignal.abort("enough") });
    assert.is(await rejection(aborted), "enough");
  });
});

test("restored rows cannot be evaluated again: without room beside them others fail", async () => {
  const bytes = await savedBytes();
  await withModel({}, async (model) => {
    const session = model.createSession();
    await session.evaluate(TOKENS);
    const { session: restored } = await model.restoreSession(bytes);
    assert.is(model.pagesInUse, PAGES, "the other session has given its pages up");
    const message = `expected ${PAGES} free pages`;
    await assertRejects(model.restoreSession(bytes), "CACHE_FULL", message);
    await assertRejects(session.evaluate([5]), "CACHE_FULL", message);
    assert.is(model.pagesInUse, PAGES);
    assert.equal([...session.tokens], [...TOKENS]);
    restored.dispose();
    assert.ok((await session.evaluate([5])).every(Number.isFinite));
    session.dispose();
  });
});

test("a busy or disposed session refuses to fork and to save", async () => {
  await withModel({}, async (model) => {
    const session = model.createSession();
    const evaluation = session.evaluate(TOKENS, { chunkSize: 1 });
    assertThrows(() => session.fork(), "SESSION_BUSY");
    await assertRejects(session.save(), "SESSION_BUSY");
    assertThrows(() => session.saveStream(), "SESSION_BUSY");
    await evaluation;
    session.dispose();
    assertThrows(() => session.fork(), "DISPOSED");
    await assertRejects(session.save(), "DISPOSED");
    assertThrows(() => session.saveStream(), "DISPOSED");
  });
  const model = await loadEngine(FILE);
  const session = model.createSession();
  const bytes = await session.save();
  model.dispose();
  await assertRejects(session.save(), "DISPOSED");
  await assertRejects(model.restoreSession(bytes), "DISPOSED");
});

test("an abort of saving ends it, and gives its pages back", async () => {
  await withModel({}, async (model) => {
    const session = model.createSession();
    await session.evaluate(TOKENS);
    const controller = new AbortController();
    const saving = session.save({ signal: controller.signal });
    session.dispose();
    controller.abort("enough");
    assert.is(await rejection(saving), "enough");
  });
});

test("a bad option of saving is refused, and holds no pages", async () => {
  await withModel({}, async (model) => {
    const session = model.createSession();
    await session.evaluate(TOKENS);
    await assertRejects(session.save({ signal: 5 as unknown as AbortSignal }), "INVALID_ARGUMENT");
    await assertRejects(session.save(null as never), "INVALID_ARGUMENT", "options");
    session.dispose();
  });
});

test("a model that is disposed of while a session is restored gives none", async () => {
  const empty = await (await loadEngine(FILE)).createSession().save();
  for (const bytes of [empty, await savedBytes()]) {
    const model = await loadEngine(FILE);
    const restoring = model.restoreSession(new Blob([bytes]).stream());
    model.dispose();
    await assertRejects(restoring, "DISPOSED");
    assert.is(model.pagesInUse, 0);
  }
});

test("logits are products of the hidden states", async () => {
  await withModel({}, async (model) => {
    const { hiddenSize } = model.config;
    const session = model.createSession();
    const all = await session.evaluate(TOKENS, { hidden: "all", phase: "decode" });
    assert.is(all.length, 70 * hiddenSize);
    session.truncate(69);
    const last = await session.evaluate(TOKENS.slice(-1), { hidden: "last" });
    assert.equal(last, all.slice(-hiddenSize));
    const both = session.evaluate([1], { hidden: "last", logits: "all" });
    await assertRejects(both, "INVALID_ARGUMENT", 'no `logits` beside it, got "all"');
    await assertRejects(session.evaluate([1], { phase: "verify" as "decode" }), "INVALID_ARGUMENT");
    session.dispose();
  });
});

test.run();
