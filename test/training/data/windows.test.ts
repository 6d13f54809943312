import { test } from "uvu";
import * as assert from "uvu/assert";
import { evaluationBatches } from "../../../src/training/data/windows.js";
import { NO_TARGET } from "../../../src/training/engine/kernels.js";
import { EOS, numberedText } from "../support/texts.js";

const text = numberedText("held", [3, 100, 1, 40, 16, 17, 7]);
const CONTEXT = 16;

for (const stride of [1, 5, 8, 16]) {
  test(`stride ${stride}: every target is scored once, with enough before it`, () => {
    const scored: number[] = [];
    for (const batch of evaluationBatches(text, { tokens: 32, contextLength: CONTEXT, stride })) {
      const { ids, targets, positions, starts } = batch;
      for (let i = 0; i < 32; i++) {
        assert.is(starts[i] + positions[i], i % CONTEXT);
        if (positions[i] > 0) assert.is(positions[i], positions[i - 1] + 1);
        if (targets[i] === NO_TARGET) continue;
        scored.push(ids[i]);
        const at = text.tokens.indexOf(ids[i]);
        assert.is(targets[i], text.tokens[at + 1]);
        const first = text.ends.filter((end) => end <= at).at(-1) ?? 0;
        const context = Math.min(at - first, CONTEXT - stride);
        assert.ok(positions[i] >= context, `${ids[i]} at ${positions[i]}, not ${context} or more`);
      }
    }
    assert.equal(
      scored,
      [...text.tokens].filter((id) => id !== EOS),
    );
  });
}

test("windows are packed whole, and the rest is tokens that see only themselves", () => {
  const two = numberedText("two", [10, 10]);
  const batches = evaluationBatches(two, { tokens: 32, contextLength: CONTEXT, stride: 16 });
  const [{ ids, targets, positions, starts }, ...more] = Array.from(batches);
  assert.is(more.length, 0);
  assert.equal([...ids.subarray(10, 16)], [0, 0, 0, 0, 0, 0]);
  assert.equal([...starts.subarray(10, 16)], [10, 11, 12, 13, 14, 15]);
  assert.ok(targets.subarray(10, 16).every((target) => target === NO_TARGET));
  assert.equal([...positions.subarray(15, 18)], [0, 0, 1]);
});

test.run();
