import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  divergence,
  PRODUCTS,
  RoundingBench,
  roundBlocks,
  shareOfLayer,
} from "../../bench/learning/rounding.js";
import { readReference } from "../model/support/reference-files.js";
import { readReferenceModel } from "../model/support/reference-forward.js";
import { tinyModel } from "../model/support/tiny.js";
import { assertClose } from "../support/close.js";

test("each block is rounded in steps of its own largest magnitude", () => {
  const x = Float64Array.from({ length: 64 }, (_, i) => (i < 32 ? (i - 16) / 5 : 0));
  x[32] = 300;
  x[33] = -149;
  const rounded = roundBlocks(x, 3);
  const step = 3.2 / 3;
  assertClose([rounded[0], rounded[16], rounded[19]], [-3.2, 0, step], { rel: 1e-14 });
  assert.equal([...rounded.slice(32, 35)], [300, -100, 0]);
  assert.equal([...roundBlocks(new Float64Array(32), 8)], Array(32).fill(0));
});

test("divergence of two distributions by hand", () => {
  const half = [Math.log(0.5), Math.log(0.5)];
  const quarter = [Math.log(0.25) + 7, Math.log(0.75) + 7];
  assertClose([divergence(half, quarter)], [0.5 * Math.log(2) + 0.5 * Math.log(2 / 3)], {
    rel: 1e-12,
  });
  assertClose([divergence(quarter, quarter)], [0], { abs: 1e-15 });
});

for (const splitKvB of [false, true]) {
  test(`each product is rounded separately${splitKvB ? ", kv_b split" : ""}`, async () => {
    const model = await readReferenceModel(tinyModel({ splitKvB }));
    const sequences = [20, 12].map((length, s) =>
      Array.from({ length }, (_, t) => (31 * t + 97 * s) % 256),
    );
    const bench = new RoundingBench(model, sequences);
    for (const product of PRODUCTS) {
      const [coarse, fine] = [6, 10].map((bits) => bench.divergence([product], bits));
      assert.ok(coarse > 30 * fine && fine > 0, `${product}: ${coarse} and ${fine}`);
    }
    assert.is(bench.divergence([], 2), 0);
    assert.is(bench.zeroShares.length, 2);
    for (const share of bench.zeroShares) assert.ok(share > 0.2 && share < 0.8, `${share}`);
    const shares = PRODUCTS.slice(0, -1).map((product) => shareOfLayer(model, product));
    assertClose([shares.reduce((sum, share) => sum + share, 0)], [1], { rel: 1e-12 });
    assert.ok(shares.every((share) => share > 0));
  });
}

test("mini-q8_0 has the divergence that src/model/precision.ts states", async () => {
  const reference = readReference("mini-q8_0");
  if (reference === undefined) return;
  const { file, tokens } = reference;
  const bench = new RoundingBench(await readReferenceModel(file), [tokens]);
  assertClose([bench.divergence(["attn_q"], 8)], [0.9e-5], { rel: 0.3 });
  assertClose([bench.divergence(["ffn_up"], 8)], [1.7e-5], { rel: 0.6 });
});

test.run();
