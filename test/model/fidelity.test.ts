import { test } from "uvu";
import * as assert from "uvu/assert";
import { cacheRowBytes } from "../../src/model/cache.js";
import type { PlmConfig } from "../../src/model/config.js";
import type { LoadedPlm } from "../../src/model/load.js";
import { assertAtMost, engineLogits, loadEngine, meanKl, planEngine, rowsOf } from "./engine.js";
import { type Reference, readReference, referenceNames } from "./reference-files.js";

/** KL(reference || engine) of decode, in nats. */
function decodeLimit(name: string): number {
  if (name === "mini-f32") return 1e-9;
  return name === "mini-f16" || name === "mini-bf16" ? 1e-6 : 1e-5;
}

async function klOf(model: LoadedPlm, reference: Reference, chunkSize: number): Promise<number> {
  const actual = await engineLogits(model, reference.tokens, { chunkSize });
  return meanKl(rowsOf(reference.logits, reference.vocab), actual);
}

/** The best token, again and again, after the reference's tokens. */
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

for (const name of referenceNames()) {
  test(`${name}: logits, greedy tokens and zeros are the reference's`, async () => {
    const reference = readReference(name)!;
    const cacheType = name === "mini-f32" ? "f32" : "i16";
    const model = await loadEngine(reference.file, { cacheType });
    assertAtMost(await klOf(model, reference, 1), decodeLimit(name), "decode");
    assertAtMost(await klOf(model, reference, 48), reference.llamaCppKl, "prefill");
    const zeroShare = reference.zeroShare.reduce((a, b) => a + b) / reference.zeroShare.length;
    assertAtMost(Math.abs(model.zeroShare - zeroShare), 0.01, "zero share");
    assert.equal(await greedy(model, reference, 24), reference.greedy24);
  });

  test(`${name}: a q8_0 cache costs at most 6e-5`, async () => {
    const reference = readReference(name)!;
    const model = await loadEngine(reference.file, { cacheType: "q8_0" });
    assertAtMost(await klOf(model, reference, 1), 6e-5, "decode");
  });
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
    assertAtMost(memory.bytes("weights") / fileBytes, 1.1, "weights");
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
