/** The kernels that both variants have, tested in the relaxed one as well. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench, hasRelaxed, setDefaultVariant } from "./wasm.js";

/** Tests whose kernels are in both; those of the products choose their variant themselves. */
const SHARED = [
  ...["attention-sink", "attention", "cache", "expanded", "floats", "pack", "read", "relu2"],
  ...["rmsnorm", "rope", "slab", "softmax", "topk", "transposed"],
];

if (await hasRelaxed("the kernels of both variants in the relaxed one")) {
  setDefaultVariant("relaxed");
  // Another address is another instance of the module, whose bench is of this variant.
  for (const name of SHARED) await import(`./${name}.test.js?relaxed`);
  const bench = await Bench.create(1);
  test("benches were of the relaxed variant", () => assert.ok(bench.relaxed));
  setDefaultVariant("simd");
}

test.run();
