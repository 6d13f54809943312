/** LanguageModel: what is available, how sessions are created, and what ends them. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import {
  createLanguageModel,
  type LanguageModelCreateOptions,
} from "../../src/prompt-api/index.js";
import { assertThrows } from "../model/support/engine.js";
import { assertName } from "./support/exceptions.js";

const MODEL = "models/plm-test.gguf";
const model = await loadModel(MODEL);
const LanguageModel = createLanguageModel({ model });
const CONTEXT = 256;

test("availability goes from downloadable to available, and progress from 0 to 1", async () => {
  const Lazy = createLanguageModel({ model: (options) => loadModel(MODEL, options) });
  assert.is(await Lazy.availability(), "downloadable");
  const seen: [number, number, string][] = [];
  const monitor: LanguageModelCreateOptions["monitor"] = (target) => {
    target.addEventListener("downloadprogress", ({ loaded, total, type }: ProgressEvent) => {
      seen.push([loaded, total, type]);
    });
  };
  const created = Lazy.create({ monitor });
  await undefined;
  assert.is(await Lazy.availability(), "downloading");
  // One load for all sessions.
  const sessions = await Promise.all([created, Lazy.create(), Lazy.create({ monitor })]);
  assert.is(await Lazy.availability(), "available");
  const loaded = seen.map(([share]) => share);
  assert.equal([Math.min(...loaded), Math.max(...loaded)], [0, 1]);
  assert.is(loaded.filter((share) => share === 0).length, 2);
  assert.ok(seen.every(([, total, type]) => total === 1 && type === "downloadprogress"));
  for (const session of sessions) session.destroy();
  assert.is(await LanguageModel.availability(), "available");
});

test("a load that fails is a NetworkError or OperationError, and can be tried again", async () => {
  let count = 0;
  const Failing = createLanguageModel({
    model: () => {
      count++;
      if (count === 1) throw new RangeError("broken");
      if (count === 2) throw new Error("broken");
      return loadModel(count === 3 ? "no-such-file.gguf" : MODEL);
    },
  });
  const error = await assertName<{ cause: Error }>(Failing.create(), "OperationError");
  assert.equal([error.message, error.cause.name], ["broken", "RangeError"]);
  assert.is((await assertName(Failing.create(), "OperationError")).message, "broken");
  await assertName(Failing.create(), "NetworkError");
  assert.is(await Failing.availability(), "downloadable");
  (await Failing.create()).destroy();
});

test("what is not text is unavailable, and refused", async () => {
  for (const options of [
    { expectedInputs: [{ type: "image" }] },
    { expectedOutputs: [{ type: "text" }, { type: "audio" }] },
  ]) {
    assert.is(await LanguageModel.availability(options), "unavailable");
    await assertName(LanguageModel.create(options), "NotSupportedError");
  }
  const expectedInputs = [{ type: "text", languages: ["en"] }];
  assert.is(await LanguageModel.availability({ expectedInputs }), "available");
});

test("sampling: modes, and the parameters that they stand for", async () => {
  const params = await LanguageModel.params();
  const sampling = async (
    options: LanguageModelCreateOptions,
  ): Promise<[number, number, string | null]> => {
    const session = await LanguageModel.create(options);
    const { temperature, topK, samplingMode } = session;
    session.destroy();
    return [temperature, topK, samplingMode];
  };
  const { defaultTemperature, defaultTopK, maxTemperature, maxTopK } = params;
  assert.equal(await sampling({}), [defaultTemperature, defaultTopK, "balanced"]);
  assert.equal(await sampling({ samplingMode: "most-predictable" }), [0, 1, "most-predictable"]);
  assert.equal(await sampling({ temperature: 0.5, topK: 3.7 }), [0.5, 3, null]);
  const most = { temperature: Infinity, topK: Infinity };
  assert.equal(await sampling(most), [maxTemperature, maxTopK, null]);
  assert.equal(await sampling({ topK: 2 }), [defaultTemperature, 2, null]);
  for (const wrong of [{ temperature: -1 }, { temperature: Number.NaN }, { topK: 0 }]) {
    await assertName(LanguageModel.create(wrong), "RangeError");
    await assertName(LanguageModel.availability(wrong), "RangeError");
  }
  const both = { samplingMode: "creative", topK: 2 } as const;
  await assertName(LanguageModel.create(both), "TypeError");
  await assertName(LanguageModel.create({ samplingMode: "wild" as never }), "TypeError");
});

test("an abort ends a creation, and later the session", async () => {
  const reason = new Error("enough");
  const aborted = AbortSignal.abort(reason);
  assert.is(await LanguageModel.create({ signal: aborted }).catch((error) => error), reason);
  const never = createLanguageModel({ model: () => new Promise<never>(() => {}) });
  const controller = new AbortController();
  const creating = never.create({ signal: controller.signal });
  controller.abort(reason);
  assert.is(await creating.catch((error) => error), reason);
  const later = new AbortController();
  const session = await LanguageModel.create({ signal: later.signal });
  const answer = session.prompt("Once");
  later.abort(reason);
  assert.is(await answer.catch((error) => error), reason);
  assert.is(await session.prompt("Once").catch((error) => error), reason);
});

test("a destroyed session rejects what runs, waits and comes", async () => {
  const session = await LanguageModel.create();
  const calls = [session.prompt("Once"), session.prompt("Upon"), session.append("a time")];
  const stream = session.promptStreaming("The end");
  session.destroy();
  session.destroy();
  for (const call of [...calls, session.prompt("x"), session.clone(), session.append("x")]) {
    await assertName(call, "AbortError");
  }
  await assertName(stream.getReader().read(), "AbortError");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.is(model.pagesInUse, 0);
});

test("initial prompts: too long, or with a prefix; tools without execute", async () => {
  const content = "word ".repeat(400);
  const initialPrompts = [{ role: "system", content } as const];
  const error = await assertName<{ requested: number; quota: number }>(
    LanguageModel.create({ initialPrompts }),
    "QuotaExceededError",
  );
  assert.ok(error.requested > error.quota && error.quota === CONTEXT);
  const prefixed = [{ role: "assistant", content: "a", prefix: true } as const];
  await assertName(LanguageModel.create({ initialPrompts: prefixed }), "SyntaxError");
  const tools = [{ name: "f", description: "", inputSchema: {} } as never];
  await assertName(LanguageModel.create({ tools }), "TypeError");
  assert.is(model.pagesInUse, 0);
});

test("settings and constructors", () => {
  assertThrows(() => createLanguageModel({} as never), "INVALID_ARGUMENT", "model");
  assert.throws(() => new (LanguageModel as never as typeof Object)(), /Illegal constructor/);
});

test.run();
