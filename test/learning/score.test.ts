import { test } from "uvu";
import * as assert from "uvu/assert";
import { negativeLogProbability, scoreTokens } from "../../bench/learning/score.js";
import { loadModel } from "../../src/index.js";
import { evaluationBatches } from "../../src/training/data/windows.js";
import { tinyModel } from "../model/support/tiny.js";
import { assertClose } from "../support/close.js";

const CONTEXT = 16;
const tokens = Uint16Array.from({ length: 60 }, (_, i) => (i * 37 + 5 * (i >> 2)) % 256);

for (const stride of [5, 8, 16]) {
  test(`stride ${stride}: the trainer's windows, each evaluated separately`, async () => {
    const model = await loadModel(tinyModel(), { threads: 1, precision: "exact" });
    const session = model.createSession();
    const text = { name: "held", tokens, ends: Uint32Array.of(60), bytes: 60, fingerprint: 0 };
    let expected = Math.log(session.vocabSize);
    let targets = 0;
    const options = { tokens: CONTEXT, contextLength: CONTEXT, stride };
    for (const batch of evaluationBatches(text, options)) {
      for (let i = 0; i < CONTEXT; i++) {
        if (batch.targets[i] >= session.vocabSize) continue;
        session.truncate(0);
        const logits = await session.evaluate(batch.ids.subarray(batch.starts[i], i + 1));
        expected += negativeLogProbability(logits, batch.targets[i]);
        targets++;
      }
    }
    assert.is(targets, 59);
    const actual = await scoreTokens(session, tokens, { contextLength: CONTEXT, stride });
    assertClose([actual], [expected], { rel: 1e-4 });
    model.dispose();
  });
}

test("the loss of equal logits is that of a uniform distribution", () => {
  assertClose([negativeLogProbability([3, 3, 3, 3], 2)], [Math.log(4)], { rel: 1e-15 });
  assertClose([negativeLogProbability([1000, 0], 1)], [1000], { rel: 1e-15 });
});

test.run();
