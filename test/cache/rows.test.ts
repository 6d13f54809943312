import { test } from "uvu";
import { CACHE_TYPES, type CacheType } from "../../src/cache/rows.js";
import {
  assertAtMost,
  assertRejects,
  engineLogits,
  loadEngine,
  planEngine,
  rowsError,
} from "../model/support/engine.js";
import {
  ODD_DIMS,
  Q8_CACHE_DIMS,
  SMALL_DIMS,
  tinyModel,
  tinyTokens,
} from "../model/support/tiny.js";

/**
 * Relative error of the logits that a cache may cause: half a step of its 14, 11 or 8 bits, times 8
 * to 30. The weights have outliers, and the squared ReLU makes errors larger.
 */
const CACHE_ERROR: Record<CacheType, number> = { f32: 3e-6, i16: 2e-3, f16: 2e-3, q8_0: 6e-2 };
const TOKENS = tinyTokens(24);

for (const cacheType of CACHE_TYPES) {
  test(`a cache of ${cacheType} is as good as its bits, in decode and in prefill`, async () => {
    const dims = { ...Q8_CACHE_DIMS, numHiddenLayers: 1 };
    const file = tinyModel({ dims });
    const exact = await loadEngine(file, { cacheType: "f32", attention: "absorbed" });
    const expected = await engineLogits(exact, TOKENS, { chunkSize: 1 });
    for (const attention of ["absorbed", "expanded"] as const) {
      const model = await loadEngine(file, { cacheType, attention });
      for (const chunkSize of [1, 24]) {
        const actual = await engineLogits(model, TOKENS, { chunkSize });
        const what = `${attention}, chunks of ${chunkSize}`;
        assertAtMost(rowsError(actual, expected), CACHE_ERROR[cacheType], what);
      }
    }
  });
}

test("q8_0 needs whole blocks of rope dims", async () => {
  for (const dims of [ODD_DIMS, SMALL_DIMS]) {
    const file = tinyModel({ dims: { ...dims, numHiddenLayers: 1 } });
    const got = `got ${dims.qkRopeHeadDim}`;
    await assertRejects(
      planEngine(file, { cacheType: "q8_0" }),
      "INVALID_ARGUMENT",
      "multiples of 32",
      got,
    );
  }
});

test.run();
