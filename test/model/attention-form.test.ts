import { test } from "uvu";
import * as assert from "uvu/assert";
import { chooseAttention } from "../../src/model/attention-form.js";
import { PHASES } from "../../src/model/batch.js";
import type { PlmConfig } from "../../src/model/config.js";

/** PLM-1.8B's. */
const CONFIG = {
  numAttentionHeads: 16,
  kvLoraRank: 512,
  qkNopeHeadDim: 128,
  qkRopeHeadDim: 64,
  vHeadDim: 128,
} as PlmConfig;

test("a requested form is used", () => {
  for (const form of ["absorbed", "expanded"] as const) {
    for (const phase of PHASES) {
      for (const n of [1, 2, 500]) {
        assert.is(chooseAttention(form, CONFIG, { n, position: 1000, phase }), form);
      }
    }
  }
});

test("decode is absorbed, however long the sequence", () => {
  for (const position of [0, 1, 4095]) {
    for (const n of [1, 500]) {
      assert.is(chooseAttention("auto", CONFIG, { n, position, phase: "decode" }), "absorbed");
    }
  }
});

/** The form of a prefill. */
function ofPrefill(n: number, position: number): string {
  return chooseAttention("auto", CONFIG, { n, position, phase: "prefill" });
}

test("a few tokens on a long sequence are absorbed, many are expanded", () => {
  // Each cached position costs 17,408 multiplications a token, or 5,120 and its share of 2,097,152.
  assert.is(ofPrefill(170, 2 ** 20), "absorbed");
  assert.is(ofPrefill(171, 2 ** 20), "expanded");
  assert.is(ofPrefill(256, 0), "expanded");
});

test.run();
