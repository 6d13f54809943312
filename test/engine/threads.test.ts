/** Models in threads: the same logits as on one, bit for bit. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES } from "../../src/cache/rows.js";
import { type LoadOptions, loadPlm, VARIANTS } from "../../src/engine/load.js";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { openGguf } from "../../src/format/gguf.js";
import { kernelsBytes } from "../../src/kernels/load.js";
import { PRECISIONS } from "../../src/model/precision.js";
import { openSources } from "../../src/sources/source.js";
import { withChangingPace } from "../kernels/support/changing-pace.js";
import { isRelaxedExact } from "../kernels/support/wasm.js";
import { assertRejects, engineLogits, loadEngine } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { K_DIMS, Q8_CACHE_DIMS, SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

// More threads than the machine may have processors.
let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

const TYPES = Object.keys(TENSOR_TYPES) as TensorType[];

/** Fails unless `threads` threads give the logits of one, bit for bit: decoded and in chunks. */
async function assertSame(
  file: Uint8Array,
  threads: number,
  options: LoadOptions,
  tokens: readonly number[],
): Promise<void> {
  const alone = await loadEngine(file, options);
  const together = await loadEngine(file, { ...options, threads });
  assert.is(together.threads, threads, "threads that started");
  for (const chunkSize of [1, 7, tokens.length]) {
    const [expected, actual] = await Promise.all([
      engineLogits(alone, tokens, { chunkSize }),
      engineLogits(together, tokens, { chunkSize }),
    ]);
    assert.ok(expected.every((row) => row.every(Number.isFinite)));
    assert.equal(actual, expected, `${threads} threads, chunks of ${chunkSize}`);
  }
  assert.equal(together.sparsity, alone.sparsity);
  together.dispose();
}

for (const variant of VARIANTS) {
  for (const [i, type] of TYPES.entries()) {
    test(`${variant}: any number of threads gives the same logits: ${type}`, async () => {
      const dims = type.endsWith("_K") ? K_DIMS : Q8_CACHE_DIMS;
      const file = tinyModel({ dims, type, tied: i % 2 === 0 });
      const tokens = tinyTokens(23);
      const precision = PRECISIONS[i % 3];
      for (const [j, attention] of (["absorbed", "expanded"] as const).entries()) {
        const threads = [2, 3, 5][(i + j) % 3];
        await assertSame(file, threads, { variant, precision, attention }, tokens);
      }
    });
  }

  test(`${variant}: any number of threads gives the same logits over every cache`, async () => {
    const file = tinyModel({ dims: Q8_CACHE_DIMS, type: "Q8_0" });
    for (const [i, cacheType] of CACHE_TYPES.entries()) {
      for (const attention of ["absorbed", "expanded"] as const) {
        const options = { variant, cacheType, attention };
        await assertSame(file, [2, 3, 5][i % 3], options, tinyTokens(40));
      }
    }
  });
}

test("more threads than there are heads, rows or tokens do no harm", async () => {
  await assertSame(tinyModel({ type: "Q8_0" }), 9, {}, tinyTokens(9));
});

test("loading does not touch the words on which threads wait", async () => {
  // With a batch of 1 the activations take less memory than loading.
  const file = tinyModel({ dims: { ...SMALL_DIMS, contextLength: 4 }, type: "Q8_0" });
  await assertSame(file, 3, { batchSize: 1 }, tinyTokens(4));
});

test("two models with threads work at once", async () => {
  const tokens = tinyTokens(30);
  const files = (["Q8_0", "F16"] as const).map((type) => tinyModel({ type }));
  const expected = await Promise.all(
    files.map(async (file) => engineLogits(await loadEngine(file), tokens, { chunkSize: 1 })),
  );
  const models = await Promise.all(files.map((file) => loadEngine(file, { threads: 2 })));
  const actual = await Promise.all(
    models.map((model) => engineLogits(model, tokens, { chunkSize: 1 })),
  );
  assert.equal(actual, expected);
  models[0].dispose();
  assert.is(models[0].threads, 1);
  assert.equal(await engineLogits(models[1], tokens, { chunkSize: 1 }), expected[1]);
  models[1].dispose();
});

test("sessions of one model share its threads", async () => {
  const tokens = tinyTokens(12);
  const file = tinyModel({ type: "Q4_0" });
  const [expected] = await engineLogits(await loadEngine(file), tokens, { chunkSize: 1 });
  const model = await loadEngine(file, { threads: 3 });
  const results = await Promise.all(
    Array.from({ length: 3 }, () => engineLogits(model, tokens, { chunkSize: 1 })),
  );
  for (const [first] of results) assert.equal(first, expected);
  model.dispose();
});

test("a number of threads that changes from token to token changes no logits", async () => {
  const tokens = tinyTokens(60);
  const file = tinyModel({ dims: Q8_CACHE_DIMS, type: "Q8_0" });
  const alone = await loadEngine(file);
  const model = await loadEngine(file, { threads: 4 });
  const counts = await withChangingPace(4, async () => {
    for (const chunkSize of [1, 3]) {
      const expected = await engineLogits(alone, tokens, { chunkSize });
      assert.equal(await engineLogits(model, tokens, { chunkSize }), expected);
    }
  });
  assert.equal(counts, [1, 2, 3, 4]);
  model.dispose();
});

test("a compiled module imports a memory that is not shared: one thread computes", async () => {
  const file = tinyModel({ type: "Q8_0" });
  const wasm = await WebAssembly.compile(kernelsBytes());
  const model = await loadPlm(await openGguf(await openSources(file)), { wasm, threads: 3 });
  assert.is(model.threads, 1);
  assert.match(model.threadFailure?.message ?? "", "compiled module");
  assert.is(model.variant, "simd");
  const expected = await engineLogits(await loadEngine(file), tinyTokens(8));
  assert.equal(await engineLogits(model, tinyTokens(8)), expected);
});

test("the relaxed variant is refused in a runtime that has it wrong", async () => {
  const gguf = await openGguf(await openSources(tinyModel()));
  const isExact = await isRelaxedExact();
  if (isExact) {
    for (const threads of [1, 2]) {
      const model = await loadPlm(gguf, { variant: "relaxed", threads });
      assert.is(model.variant, "relaxed");
      model.dispose();
    }
  } else {
    await assertRejects(loadPlm(gguf, { variant: "relaxed" }), "UNSUPPORTED_RUNTIME");
  }
  const model = await loadPlm(gguf);
  assert.is(model.variant, isExact ? "relaxed" : "simd");
  model.dispose();
  const unknown = loadPlm(gguf, { variant: "avx" as "simd" });
  await assertRejects(unknown, "INVALID_ARGUMENT", 'variant: expected simd, relaxed, got "avx"');
});

test.run();
