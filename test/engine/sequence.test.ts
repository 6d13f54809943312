import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  assertAtMost,
  engineLogits,
  loadEngine,
  rowsError,
  rowsOf,
} from "../model/support/engine.js";
import { referenceLogits } from "../model/support/reference-forward.js";
import { ODD_DIMS, SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

const LONG_DIMS = { ...SMALL_DIMS, contextLength: 160 };
const TOKENS = tinyTokens(48);

/** Relative error between two orders of the same float sums, and with 14-bit activations. */
const FLOAT_ERROR = 3e-6;
const QUANTISED_ERROR = 3e-4;
/** Values that differ by a float rounding may become different steps of the i16 cache. */
const I16_CACHE_ERROR = 1e-3;

for (const type of ["F32", "Q8_0", "Q4_0"] as const) {
  for (const cacheType of ["f32", "i16"] as const) {
    const exact = type === "F32" ? FLOAT_ERROR : QUANTISED_ERROR;
    const limit = cacheType === "f32" ? exact : I16_CACHE_ERROR;

    test(`chunks of 1, 3 and 48 of ${type} over ${cacheType} agree`, async () => {
      const model = await loadEngine(tinyModel({ dims: ODD_DIMS, type }), {
        cacheType,
        precision: "exact",
      });
      const expected = await engineLogits(model, TOKENS, { chunkSize: 48 });
      for (const chunkSize of [1, 3]) {
        const actual = await engineLogits(model, TOKENS, { chunkSize });
        assertAtMost(rowsError(actual, expected), limit, `chunks of ${chunkSize}`);
      }
    });

    test(`absorbed equals expanded, ${type} over ${cacheType}, beyond a tile`, async () => {
      const file = tinyModel({ dims: LONG_DIMS, type });
      const tokens = tinyTokens(150);
      const absorbed = await loadEngine(file, {
        cacheType,
        precision: "exact",
        attention: "absorbed",
      });
      const expected = await engineLogits(absorbed, tokens);
      for (const batchSize of [7, 64, 256]) {
        const model = await loadEngine(file, {
          cacheType,
          precision: "exact",
          batchSize,
          attention: "expanded",
        });
        const actual = await engineLogits(model, tokens);
        assertAtMost(rowsError(actual, expected), limit, `batches of ${batchSize}`);
      }
    });
  }
}

test("a batch of 1 or 2 is enough for any prompt", async () => {
  const file = tinyModel({ type: "Q8_0" });
  const expected = await engineLogits(await loadEngine(file), TOKENS);
  for (const batchSize of [1, 2]) {
    for (const attention of ["absorbed", "expanded"] as const) {
      const model = await loadEngine(file, { batchSize, attention });
      const actual = await engineLogits(model, TOKENS);
      assertAtMost(rowsError(actual, expected), I16_CACHE_ERROR, `${batchSize}, ${attention}`);
    }
  }
});

test("decode after prefill equals prefill of the longer prompt", async () => {
  const model = await loadEngine(tinyModel({ dims: ODD_DIMS }), { cacheType: "f32" });
  const decoding = model.createSession();
  const prefilling = model.createSession();
  await decoding.evaluate(TOKENS.slice(0, 30));
  const decoded = await decoding.evaluate(TOKENS.slice(30, 31));
  const prefilled = await prefilling.evaluate(TOKENS.slice(0, 31));
  assertAtMost(rowsError([decoded], [prefilled]), FLOAT_ERROR, "logits");
});

test("logits of the last token, of all and of none belong to the same sequence", async () => {
  const model = await loadEngine(tinyModel());
  const session = model.createSession();
  const all = rowsOf(await session.evaluate(TOKENS, { logits: "all" }), session.vocabSize);
  assert.is(all.length, TOKENS.length);
  session.truncate(0);
  assert.equal(await session.evaluate(TOKENS), all[TOKENS.length - 1]);
  session.truncate(40);
  assert.is((await session.evaluate(TOKENS.slice(40), { logits: "none" })).length, 0);
  assert.is(session.length, TOKENS.length);
});

test("typed arrays are tokens, too", async () => {
  const model = await loadEngine(tinyModel());
  const session = model.createSession();
  const expected = await session.evaluate(TOKENS);
  session.truncate(0);
  assert.equal(await session.evaluate(Uint16Array.from(TOKENS)), expected);
});

test("truncated tokens leave no trace", async () => {
  const model = await loadEngine(tinyModel({ type: "Q8_0" }));
  const fresh = model.createSession();
  const used = model.createSession();
  await used.evaluate(TOKENS.slice(0, 20));
  await used.evaluate(tinyTokens(30, 99));
  used.truncate(20);
  assert.is(used.length, 20);
  await fresh.evaluate(TOKENS.slice(0, 20));
  const again = await used.evaluate(TOKENS.slice(20));
  assert.equal(again, await fresh.evaluate(TOKENS.slice(20)));
});

test("sessions that take turns do not disturb each other", async () => {
  const model = await loadEngine(tinyModel());
  const prompts = [tinyTokens(30, 1), tinyTokens(30, 2)];
  const alone: Float32Array[] = [];
  for (const prompt of prompts) {
    const session = model.createSession();
    alone.push(await session.evaluate(prompt, { logits: "all", chunkSize: 4 }));
    session.dispose();
  }
  const sessions = prompts.map(() => model.createSession());
  const together = await Promise.all(
    sessions.map((session, i) => session.evaluate(prompts[i], { logits: "all", chunkSize: 4 })),
  );
  assert.equal(together, alone);
});

test("the context can be filled to its last position", async () => {
  const dims = { ...SMALL_DIMS, contextLength: 70 };
  const file = tinyModel({ dims });
  const tokens = tinyTokens(70);
  const expected = await referenceLogits(file, tokens);
  for (const chunkSize of [1, 70]) {
    const model = await loadEngine(file, { cacheType: "f32" });
    const actual = await engineLogits(model, tokens, { chunkSize });
    assertAtMost(rowsError(actual, expected), FLOAT_ERROR, `chunks of ${chunkSize}`);
  }
});

test("a context of one token", async () => {
  const model = await loadEngine(tinyModel(), { contextLength: 1, cacheType: "f32" });
  const actual = await engineLogits(model, TOKENS.slice(0, 1));
  const expected = await referenceLogits(tinyModel(), TOKENS.slice(0, 1));
  assertAtMost(rowsError(actual, expected), FLOAT_ERROR, "logits");
});

test.run();
