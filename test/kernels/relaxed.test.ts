/** The kernels of both variants, also tested in the relaxed one. */
import { readdirSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench, setDefaultVariant } from "./support/wasm.js";

/** Files that do not test kernels of both, or choose their variant themselves. */
const OTHERS = [
  "matmul",
  "matvec",
  "matvec-rows",
  "probe",
  "quantize",
  "relaxed",
  "shared-memory",
  "team",
];

const suffix = ".test.js";
const names = readdirSync(new URL(".", import.meta.url))
  .filter((name) => name.endsWith(suffix))
  .map((name) => name.slice(0, -suffix.length))
  .filter((name) => !OTHERS.includes(name));

setDefaultVariant("relaxed");
// Another address is another instance of the module, whose bench is of this variant.
for (const name of names) await import(`./${name}.test.js?relaxed`);
const bench = await Bench.create(1);
test("benches were of the relaxed variant", () => assert.ok(bench.relaxed));
setDefaultVariant("simd");

test.run();
