import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Candidates,
  createCandidates,
  keepAtLeast,
  keepBest,
  selectAll,
  selectTopK,
} from "../../src/generation/candidates.js";
import { seededRandom } from "../support/random.js";
import { sortedIds, tiedLogits } from "./support/oracle.js";

const idsOf = ({ ids, length }: Candidates) => Array.from(ids.subarray(0, length));

function all(logits: ArrayLike<number>): Candidates {
  const candidates = createCandidates(logits.length);
  selectAll(Float32Array.from(logits), candidates);
  return candidates;
}

function top(k: number, logits: ArrayLike<number>): Candidates {
  const candidates = createCandidates(k);
  selectTopK(Float32Array.from(logits), k, candidates);
  return candidates;
}

test("top-k takes the best, equal ones by lower id", () => {
  assert.equal(idsOf(top(2, [1, 3, 2, 3])), [1, 3]);
  assert.equal(idsOf(top(1, [5, 5, 5, 5])), [0]);
  assert.equal(idsOf(top(3, [5, 5, 5, 5])), [0, 1, 2]);
  assert.equal(idsOf(top(4, [-1, -3, -2, 0])), [3, 0, 2, 1]);
});

test("a token with -Infinity is never a candidate", () => {
  assert.equal(idsOf(top(3, [-Infinity, 1, -Infinity, 2])), [3, 1]);
  assert.equal(idsOf(all([-Infinity, 1, -Infinity, 2])), [1, 3]);
});

test("top-k equals the head of a full sort, ties included", () => {
  const random = seededRandom(1);
  for (let round = 0; round < 300; round++) {
    const n = 1 + Math.floor(random() * 200);
    const logits = tiedLogits(n, random);
    const k = 1 + Math.floor(random() * n);
    const candidates = top(k, logits);
    assert.equal(idsOf(candidates), sortedIds(logits).slice(0, k));
    for (let i = 0; i < candidates.length; i++) {
      assert.is(candidates.logits[i], logits[candidates.ids[i]]);
    }
  }
});

test("the best come in order from an unsorted set, and the last one asked for is kept", () => {
  const random = seededRandom(2);
  for (let round = 0; round < 300; round++) {
    const n = 1 + Math.floor(random() * 100);
    const logits = tiedLogits(n, random);
    const wanted = 1 + Math.floor(random() * n);
    const expected = sortedIds(logits).slice(0, wanted);
    for (const candidates of [all(logits), top(n, logits)]) {
      let calls = 0;
      keepBest(candidates, () => ++calls === wanted);
      assert.equal(idsOf(candidates), expected);
      assert.ok(candidates.sorted);
      assert.is(calls, expected.length);
    }
  }
});

test("all are kept, sorted, when there are never enough", () => {
  const candidates = all([1, 4, 2, 3]);
  keepBest(candidates, () => false);
  assert.equal(idsOf(candidates), [1, 3, 2, 0]);
});

test("a threshold keeps what reaches it", () => {
  const candidates = all([1, 4, 2, 3]);
  keepAtLeast(candidates, 2);
  assert.equal(idsOf(candidates), [1, 2, 3]);
});

test("NaN and +Infinity are refused with their token, wherever they stand", () => {
  for (const bad of [Number.NaN, Infinity]) {
    for (const id of [0, 3]) {
      const logits = [1, 2, 3, 4];
      logits[id] = bad;
      const refused = (error: { code: string; message: string }) =>
        error.code === "INVALID_ARGUMENT" && error.message.includes(`got ${bad} for token ${id}`);
      assert.throws(() => top(2, logits), refused);
      assert.throws(() => all(logits), refused);
    }
  }
});

test("nothing to choose is refused", () => {
  const refused = /-Infinity for every token/;
  assert.throws(() => top(2, [-Infinity, -Infinity, -Infinity]), refused);
  assert.throws(() => all([-Infinity, -Infinity]), refused);
});

test.run();
