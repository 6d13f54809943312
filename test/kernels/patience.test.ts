/** Patience under the clocks of tests and debuggers. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Patience } from "../../src/kernels/patience.js";

/** How many looks patience lasts, up to `most`. */
function looks(patience: Patience, sleptMs: number, most = 1e6): number {
  for (let look = 0; look < most; look++) if (!patience.isLeft(sleptMs)) return look;
  return most;
}

test("patience ends even under a clock that stands still", () => {
  assert.is(looks(new Patience(1000, () => 5), 100), 9);
  assert.ok(looks(new Patience(10, () => 5), 0) < 1e6);
});

test("a jump counts as one interrupted look, a step back as none", () => {
  let time = 0;
  const patience = new Patience(1000, () => time);
  time = 1e12;
  assert.is(patience.isLeft(), true);
  time = -1e12;
  assert.is(patience.isLeft(), true);
  assert.is(looks(patience, 100), 7);
});

test("infinite patience never ends", () => {
  assert.is(looks(new Patience(Infinity, () => 5), 100, 1000), 1000);
});

test.run();
