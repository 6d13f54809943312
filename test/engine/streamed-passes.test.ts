/** What happens in the middle of a pass that waits for layers to be read. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadedPlm, LoadOptions } from "../../src/engine/load.js";
import type { Session } from "../../src/engine/session.js";
import { assertRejects, loadEngine, rejection } from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import { claimProcessors } from "../model/support/processors.js";
import { ODD_DIMS, tinyModel } from "../model/support/tiny.js";
import { DIMS, FILE, LAYERS, PROMPT } from "./support/streamed.js";

let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** A model whose reads call `onRead`, once it is loaded. */
async function observed(options: LoadOptions = {}): Promise<{
  source: ObservedSource;
  model: LoadedPlm;
  session: Session;
}> {
  const source = new ObservedSource(FILE.slice());
  const model = await loadEngine(source, { residentLayers: 1, ...options });
  return { source, model, session: model.createSession() };
}

/** The prompt's last logits. */
const expected = await (await loadEngine(FILE)).createSession().evaluate(PROMPT);

test("a read that fails in a pass: the session keeps its rows and goes on", async () => {
  const { source, session } = await observed();
  await session.evaluate(PROMPT.slice(0, 20));
  const failure = new Error("the card is out");
  source.onRead = () => {
    throw failure;
  };
  assert.is(await rejection(session.evaluate(PROMPT.slice(20))), failure);
  assert.is(session.length, 20);
  source.onRead = () => undefined;
  const row = await session.evaluate(PROMPT.slice(20));
  const again = (await observed()).session;
  await again.evaluate(PROMPT.slice(0, 20));
  assert.equal(row, await again.evaluate(PROMPT.slice(20)));
});

test("a file that is changed after loading: INVALID_FILE if a weight is not finite", async () => {
  const file = tinyModel({ dims: DIMS, type: "F32" });
  const model = await loadEngine(file, { residentLayers: 1 });
  const session = model.createSession();
  const { offset } = model.plan.weights.layers[3].upProj.tensors[0];
  const view = new DataView(file.buffer, file.byteOffset);
  const before = view.getUint32(offset + 64, true);
  view.setUint32(offset + 64, 0x7fc00000, true);
  await assertRejects(session.evaluate(PROMPT), "INVALID_FILE", "blk.3.ffn_up.weight");
  assert.is(session.length, 0);
  view.setUint32(offset + 64, before, true);
  assert.ok((await session.evaluate(PROMPT)).every(Number.isFinite));
});

test("an abort in a pass ends it at once, unless others wait for it", async () => {
  const { source, model, session } = await observed({ threads: 2 });
  const other = model.createSession();
  const reason = new Error("enough");
  for (const isAlone of [true, false]) {
    const controller = new AbortController();
    const { signal } = controller;
    let reads = 0;
    source.onRead = () => {
      if (++reads === 3) controller.abort(reason);
    };
    const aborted = session.evaluate(PROMPT, { signal });
    const waiting = isAlone ? undefined : other.evaluate(PROMPT);
    assert.is(await rejection(aborted), reason);
    assert.is(session.length, 0);
    // It is free at once, while rows of the pass may still be written.
    session.truncate(0);
    const again = session.evaluate(PROMPT);
    if (waiting !== undefined) assert.equal(await waiting, expected);
    assert.equal(await again, expected);
    session.truncate(0);
  }
});

test("sessions and saved ones come and go in the middle of a pass", async () => {
  const { source, model, session } = await observed({ cacheTokens: 128, contextLength: 64 });
  const saved = await (async () => {
    const first = model.createSession();
    await first.evaluate(PROMPT);
    const bytes = await first.save();
    first.dispose();
    return bytes;
  })();
  const doomed = model.createSession();
  let restoring: ReturnType<typeof model.restoreSession> | undefined;
  source.onRead = () => {
    if (restoring !== undefined) return;
    // The pages that it gives back are those that the pass writes to.
    doomed.dispose();
    restoring = model.restoreSession(saved);
  };
  const [ended, kept] = await Promise.all([
    rejection(doomed.evaluate(PROMPT)),
    session.evaluate(PROMPT),
  ]);
  assert.is((ended as { code?: string }).code, "DISPOSED");
  assert.equal(kept, expected);
  const { session: restored } = await restoring!;
  assert.equal([...restored.tokens], [...PROMPT]);
  assert.equal(await restored.evaluate([9]), await session.evaluate([9]));
});

test("a result's array that is transferred in a pass: INVALID_ARGUMENT", async () => {
  const { source, session } = await observed();
  const out = new Float32Array(ODD_DIMS.vocabSize);
  source.onRead = () => structuredClone(out, { transfer: [out.buffer] });
  await assertRejects(session.evaluate([1], { out }), "INVALID_ARGUMENT", "out");
  source.onRead = () => undefined;
  assert.is(session.length, 0);
  assert.equal(await session.evaluate(PROMPT), expected);
});

test("the end of a model in a pass closes the source once no read is under way", async () => {
  for (const threads of [1, 2]) {
    const { source, model, session } = await observed({ threads });
    assert.ok(model.takeSources(() => source.close()));
    let reads = 0;
    source.onRead = () => {
      if (++reads === 2) model.dispose();
    };
    await assertRejects(session.evaluate(PROMPT), "DISPOSED");
    while (source.closed === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.is(source.pending, 0);
    assert.is(source.closed, 1);
  }
  assert.not((await loadEngine(FILE)).takeSources(() => assert.unreachable()));
});

test("the program goes on while layers are read", async () => {
  const { session } = await observed();
  let turns = 0;
  const count = (): unknown => turns++ < 1000 && setImmediate(count);
  count();
  await session.evaluate([1]);
  assert.ok(turns > LAYERS, `${turns} turns of the event loop`);
});

test.run();
