/** A cache for one context, which a sequence may fill whatever rows others have left there. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadEngine } from "../model/support/engine.js";
import { Q8_CACHE_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

const CONTEXT = 256;
const FILE = tinyModel({ dims: { ...Q8_CACHE_DIMS, numHiddenLayers: 2, contextLength: CONTEXT } });
const TOKENS = tinyTokens(CONTEXT, 1);

test("a prompt that fills the cache begins with rows of a block that has others", async () => {
  const model = await loadEngine(FILE, { cacheTokens: CONTEXT, prefixCache: true });
  const first = model.createSession();
  await first.evaluate([...TOKENS.slice(0, 90), ...tinyTokens(10, 2)]);
  first.dispose();
  const second = model.createSession();
  await second.evaluate(TOKENS);
  assert.is(second.length, CONTEXT);
  assert.is(second.cachedTokens, 90);
  second.dispose();
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test("a session goes back into a block that is kept, and fills the cache", async () => {
  const model = await loadEngine(FILE, { cacheTokens: CONTEXT, prefixCache: true });
  const session = model.createSession();
  await session.evaluate(tinyTokens(200, 2));
  session.truncate(30);
  await session.evaluate(TOKENS.slice(30));
  assert.is(session.length, CONTEXT);
  session.truncate(CONTEXT - 1);
  await session.evaluate(TOKENS.slice(0, 1));
  session.dispose();
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test.run();
