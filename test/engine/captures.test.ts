/** The neurons that fire for a token, beside the float forward pass. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadOptions } from "../../src/engine/load.js";
import type { ActivationCapture } from "../../src/model/activations.js";
import { loadEngine } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { readReferenceModel, referenceForward } from "../model/support/reference-forward.js";
import { ODD_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

const FILE = tinyModel({ dims: ODD_DIMS, type: "F32" });
const PROMPT = tinyTokens(6);
const NEXT = tinyTokens(3, 2);
const LAYERS = ODD_DIMS.numHiddenLayers;
const NEURONS = ODD_DIMS.intermediateSize;

let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** The neurons of each layer that a capture says fire. */
function firing({ layers, neurons, nonZero }: ActivationCapture): number[][] {
  const stride = nonZero.length / layers;
  return Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: neurons }, (_, n) => n).filter(
      (n) => (nonZero[layer * stride + (n >> 3)] >> (n & 7)) & 1,
    ),
  );
}

/** The neurons that fire for each token in the float forward pass. */
async function expected(tokens: readonly number[]): Promise<number[][][]> {
  const found: number[][][] = tokens.map(() => []);
  const seen = new Map<string, number>();
  referenceForward(await readReferenceModel(FILE), tokens, (name, x) => {
    if (!name.endsWith("ffn_down")) return x;
    const token = seen.get(name) ?? 0;
    seen.set(name, token + 1);
    found[token].push(Array.from(x, (_, n) => n).filter((n) => x[n] > 0));
    return x;
  });
  return found;
}

for (const options of [
  { threads: 1 },
  { threads: 3 },
  { threads: 2, residentLayers: 1 },
] satisfies LoadOptions[]) {
  test(`each decoded token, with ${JSON.stringify(options)}`, async () => {
    const model = await loadEngine(FILE, { ...options, cacheType: "f32" });
    const session = model.createSession();
    const all = await expected([...PROMPT, ...NEXT]);
    const before = model.captureActivations();
    await session.evaluate(PROMPT, { logits: "none", phase: "prefill" });
    for (const [i, token] of NEXT.entries()) {
      const waiting = i === 0 ? [before, model.captureActivations()] : [model.captureActivations()];
      const { nonZero: counted } = model.sparsity;
      await session.evaluate([token], { phase: "decode" });
      for (const capture of await Promise.all(waiting)) {
        assert.is(capture.layers, LAYERS);
        assert.is(capture.neurons, NEURONS);
        const fired = firing(capture);
        assert.equal(fired, all[PROMPT.length + i]);
        assert.is(fired.flat().length, model.sparsity.nonZero - counted);
      }
    }
    model.dispose();
  });
}

test("an abort, and the end of the model, end the wait", async () => {
  const model = await loadEngine(FILE);
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = model.captureActivations({ signal: controller.signal });
  const left = model.captureActivations();
  controller.abort(reason);
  assert.is(await aborted.catch((error: unknown) => error), reason);
  model.dispose();
  for (const promise of [left, model.captureActivations()]) {
    assert.is(((await promise.catch((error) => error)) as { code: string }).code, "DISPOSED");
  }
});

test.run();
