/**
 * The logits of small models, bit for bit. A digest changes only in a commit that says so, and says
 * how far the logits were and are from the float model's.
 */
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { VARIANTS, type Variant } from "../../src/kernels/load.js";
import { DIGESTS } from "./support/digests.js";
import { referenceNames } from "./support/reference-files.js";

/** Stops the clock before anything asks for the time. */
const STILL = "data:text/javascript,performance.now=()=>0";

const program = "build/test/model/support/print-digests.js";
const options = { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } } as const;
const printed = execFileSync(process.execPath, ["--import", STILL, program], options);
const found = JSON.parse(printed) as Record<Variant, Record<string, object>>;

for (const variant of VARIANTS) {
  test(`the model that ships, ${variant}`, () => {
    assert.equal(found[variant]["plm-tiny"], DIGESTS[variant]["plm-tiny"]);
  });

  test(`models of ../shared/reference, ${variant}`, () => {
    for (const name of referenceNames()) {
      assert.equal(found[variant][name], DIGESTS[variant][name], name);
    }
  });
}

test.run();
