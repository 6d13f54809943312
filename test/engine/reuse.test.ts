/**
 * Reuse under `auto` attention, which chooses its form by where a chunk begins: what follows reused
 * rows may be computed in another form than without them. The two forms round differently.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LocalSession } from "../../src/engine/local-session.js";
import { PRECISIONS } from "../../src/model/precision.js";
import { assertAtMost, loadEngine, rowsError } from "../model/support/engine.js";
import { Q8_CACHE_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

const FILE = tinyModel({ dims: { ...Q8_CACHE_DIMS, contextLength: 700 }, type: "Q8_0" });

/** Relative root mean square of the logits' differences; the largest measured is 3.8e-4. */
const MOST_ERROR = 1e-3;

for (const precision of PRECISIONS) {
  test(`logits after reused rows are near those without, ${precision}`, async () => {
    const model = await loadEngine(FILE, { precision, prefixCache: true });
    const plain = await loadEngine(FILE, { precision });
    let otherForms = 0;
    for (const shared of [64, 150, 600]) {
      for (const own of [1, 7, 40, 90]) {
        const begin = tinyTokens(shared, shared);
        const prompt = [...begin, ...tinyTokens(own, own)];
        const first = model.createSession();
        await first.evaluate(begin);
        first.dispose();
        const session = model.createSession() as LocalSession;
        const reference = plain.createSession() as LocalSession;
        const logits = await session.evaluate(prompt);
        assert.is(session.cachedTokens, Math.min(shared, prompt.length - 1));
        const error = rowsError([logits], [await reference.evaluate(prompt)]);
        assertAtMost(error, MOST_ERROR, `${shared} tokens reused, ${own} evaluated`);
        const { kinds } = reference.sequence.history;
        if (session.sequence.history.kinds.some((kind, i) => kind !== kinds[i])) otherForms++;
        for (const each of [session, reference]) each.dispose();
      }
    }
    assert.ok(otherForms > 0, "both forms take part");
    for (const each of [model, plain]) each.dispose();
  });
}

test.run();
