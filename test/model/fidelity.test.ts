import { test } from "uvu";
import * as assert from "uvu/assert";
import { cacheRowBytes } from "../../src/cache/rows.js";
import { type LoadedPlm, VARIANTS } from "../../src/engine/load.js";
import type { PlmConfig } from "../../src/model/config.js";
import { PRECISIONS, type Precision } from "../../src/model/precision.js";
import {
  assertAtMost,
  engineLogits,
  loadEngine,
  meanKl,
  planEngine,
  rowsOf,
  zeroShareOf,
} from "./support/engine.js";
import { type Reference, readReference, referenceNames } from "./support/reference-files.js";

/** Largest KL(reference || engine) of a mini model, in nats; llamaCpp is llama.cpp's. */
interface Limits {
  readonly decode: number;
  readonly exact: number;
  readonly balanced: (llamaCpp: number) => number;
  readonly fast: (llamaCpp: number) => number;
}

const ofQuantized: Limits = {
  decode: 1e-5,
  exact: 1e-6,
  balanced: (llamaCpp) => llamaCpp / 5,
  fast: (llamaCpp) => llamaCpp,
};
const ofHalves: Limits = { decode: 1e-6, exact: 1e-6, balanced: () => 1e-6, fast: () => 1e-6 };
const ofFloats: Limits = { decode: 1e-9, exact: 1e-9, balanced: () => 1e-9, fast: () => 1e-9 };

function limitsOf(name: string): Limits {
  if (name === "mini-f32") return ofFloats;
  return name === "mini-f16" || name === "mini-bf16" ? ofHalves : ofQuantized;
}

function prefillLimit(name: string, precision: Precision, llamaCpp: number): number {
  const limits = limitsOf(name);
  return precision === "exact" ? limits.exact : limits[precision](llamaCpp);
}

async function klOf(model: LoadedPlm, reference: Reference, chunkSize: number): Promise<number> {
  const actual = await engineLogits(model, reference.tokens, { chunkSize });
  return meanKl(rowsOf(reference.logits, reference.vocab), actual);
}

/** Greedy tokens after the reference's tokens. */
async function greedy(model: LoadedPlm, { tokens }: Reference, count: number): Promise<number[]> {
  const session = model.createSession();
  const chosen: number[] = [];
  let logits = await session.evaluate(tokens);
  while (chosen.length < count) {
    chosen.push(logits.indexOf(logits.reduce((a, b) => Math.max(a, b))));
    logits = await session.evaluate(chosen.slice(-1));
  }
  session.dispose();
  return chosen;
}

for (const variant of VARIANTS) {
  for (const name of referenceNames()) {
    const cacheType = name === "mini-f32" ? "f32" : "i16";

    test(`${name}, ${variant}: logits, greedy tokens and zeros are the reference's`, async () => {
      const reference = readReference(name)!;
      const model = await loadEngine(reference.file, { variant, cacheType });
      assertAtMost(await klOf(model, reference, 1), limitsOf(name).decode, "decode");
      const zeroShare = reference.zeroShare.reduce((a, b) => a + b) / reference.zeroShare.length;
      assertAtMost(Math.abs(zeroShareOf(model) - zeroShare), 0.01, "zero share");
      assert.equal(await greedy(model, reference, 24), reference.greedy24);
    });

    test(`${name}, ${variant}: each precision keeps its word, on 1 and 2 threads`, async () => {
      const reference = readReference(name)!;
      const rows = rowsOf(reference.logits, reference.vocab);
      for (const precision of PRECISIONS) {
        const options = { variant, cacheType, precision } as const;
        const model = await loadEngine(reference.file, options);
        const logits = await engineLogits(model, reference.tokens, { chunkSize: 48 });
        const limit = prefillLimit(name, precision, reference.llamaCppKl);
        assertAtMost(meanKl(rows, logits), limit, precision);
        const together = await loadEngine(reference.file, { ...options, threads: 2 });
        assert.is(together.threads, 2);
        assert.equal(await engineLogits(together, reference.tokens, { chunkSize: 48 }), logits);
        together.dispose();
      }
    });

    test(`${name}, ${variant}: a q8_0 cache costs at most 6e-5`, async () => {
      const reference = readReference(name)!;
      const model = await loadEngine(reference.file, { variant, cacheType: "q8_0" });
      assertAtMost(await klOf(model, reference, 1), 6e-5, "decode");
    });
  }
}

for (const name of ["mini-q8_0", "mini-q4_0", "mini-q4_k_m"]) {
  test(`${name}: weights take at most 1.10 times their bytes in the file`, async () => {
    const reference = readReference(name);
    if (reference === undefined) return;
    const { weights, memory } = await planEngine(reference.file);
    const tensors = [weights.embedTokens, weights.norm, ...weights.layers.flatMap(Object.values)];
    const fileBytes = tensors
      .flatMap((weight) => weight.tensors)
      .reduce((total, { byteLength }) => total + byteLength, 0);
    assert.ok(fileBytes > 1e6);
    // The keys' second copy is 2 % of PLM-1.8B and a larger part of so small a model.
    const regions = memory.regions.filter(({ kind, name }) => {
      return kind === "weights" && !name.endsWith(", keys");
    });
    const bytes = regions.reduce((total, region) => total + region.bytes, 0);
    assertAtMost(bytes / fileBytes, 1.1, "weights");
  });
}

test("a token of PLM-1.8B's cache takes as many bytes as the types say", () => {
  const config = { kvLoraRank: 512, qkRopeHeadDim: 64 } as PlmConfig;
  assert.is(32 * cacheRowBytes("f32", config), 73_728);
  assert.is(32 * cacheRowBytes("f16", config), 36_864);
  assert.is(32 * cacheRowBytes("i16", config), 37_376);
  assert.is(32 * cacheRowBytes("q8_0", config), 19_584);
});

test.run();
