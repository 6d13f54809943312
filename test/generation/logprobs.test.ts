import { test } from "uvu";
import * as assert from "uvu/assert";
import { computeLogprobs } from "../../src/generation/logprobs.js";
import { assertClose } from "../support/close.js";

const LOGITS = Float32Array.from([0.1, 0.5, 0.1, 0.3], Math.log);

test("log probabilities of the token and of the best, best first", () => {
  const { token, logprob, top } = computeLogprobs(LOGITS, 3, 3);
  assert.is(token, 3);
  assert.equal(
    top.map((entry) => entry.token),
    [1, 3, 0],
  );
  // The logits are f32: 24 bits.
  const tolerance = { abs: 1e-6 };
  assertClose([logprob], [Math.log(0.3)], tolerance);
  assertClose(
    top.map((entry) => entry.logprob),
    [0.5, 0.3, 0.1].map(Math.log),
    tolerance,
  );
});

test("adding a constant to all logits changes nothing", () => {
  const shifted = Float32Array.of(1002, 1000, 1001, 1000);
  const plain = Float32Array.of(2, 0, 1, 0);
  assertClose(
    computeLogprobs(shifted, 2, 4).top.map(({ logprob }) => logprob),
    computeLogprobs(plain, 2, 4).top.map(({ logprob }) => logprob),
    { abs: 1e-12 },
  );
});

test("a token ruled out has -Infinity and is no alternative", () => {
  const { logprob, top } = computeLogprobs(Float32Array.of(0, -Infinity, 0), 1, 5);
  assert.is(logprob, -Infinity);
  assert.equal(top, [
    { token: 0, logprob: -Math.log(2) },
    { token: 2, logprob: -Math.log(2) },
  ]);
});

test("no alternatives asked for, none given", () => {
  assert.equal(computeLogprobs(LOGITS, 1, 0).top, []);
});

test.run();
