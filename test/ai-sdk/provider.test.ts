/** The AI SDK's provider and its embedding model. */
import type { EmbeddingModelV4, LanguageModelV4, ProviderV4 } from "@ai-sdk/provider";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createPlm } from "../../src/ai-sdk/index.js";
import { loadModel } from "../../src/index.js";
import { assertThrows } from "../model/support/engine.js";
import { PROMPT } from "./support/calls.js";
import { speaker } from "./support/speaker.js";

test("a provider and its models are those of the specification", async () => {
  const plm = createPlm({ model: speaker().model });
  const provider: ProviderV4 = plm;
  const languageModel: LanguageModelV4 = plm();
  const embeddingModel: EmbeddingModelV4 = plm.embeddingModel("e");
  assert.equal(
    [provider.specificationVersion, languageModel.specificationVersion],
    ["v4", embeddingModel.specificationVersion],
  );
  assert.equal([languageModel.provider, languageModel.modelId], ["plm", "plm"]);
  assert.equal([createPlm({ model: speaker().model, name: "x" })("y").provider], ["x"]);
  assert.equal([embeddingModel.modelId, languageModel.supportedUrls], ["e", {}]);
  assert.throws(
    () => plm.imageModel("x"),
    (error: Error) => error.name === "AI_NoSuchModelError",
  );
  assertThrows(() => createPlm({} as never), "INVALID_ARGUMENT", "model: expected a model");
  assertThrows(() => createPlm(undefined as never), "INVALID_ARGUMENT", "options");
});

test("a model is loaded once, and again after a failure", async () => {
  let loads = 0;
  const plm = createPlm({
    model: async () => {
      loads++;
      if (loads === 1) throw new RangeError("offline");
      return speaker("a", "b").model;
    },
  });
  const failed = await Promise.resolve(plm().doGenerate({ prompt: PROMPT })).catch((e) => e);
  assert.is(failed.message, "offline");
  await plm().doGenerate({ prompt: PROMPT });
  await plm().doGenerate({ prompt: PROMPT });
  assert.is(loads, 2);
});

test("embeddings have length 1, and depend on the text alone", async () => {
  const model = await loadModel("models/plm-test.gguf");
  const embedder = createPlm({ model }).embeddingModel();
  const values = ["Once upon a time", "The end", "Once upon a time"];
  const { embeddings, usage, warnings } = await embedder.doEmbed({ values });
  assert.equal(embeddings[0], embeddings[2]);
  assert.not.equal(embeddings[0], embeddings[1]);
  for (const each of embeddings) {
    assert.is(each.length, model.config.hiddenSize);
    assert.ok(Math.abs(Math.hypot(...each) - 1) < 1e-5);
  }
  const counts = values.map((value) => model.tokenizer.encode(value, { addBos: true }).length);
  assert.is(usage!.tokens, counts[0] + counts[1] + counts[2]);
  assert.equal(warnings, []);
  const { warnings: warned } = await embedder.doEmbed({ values: ["a"], dimensions: 3 });
  assert.is(warned[0].type, "unsupported");
  const signal = AbortSignal.abort();
  const aborted = Promise.resolve(embedder.doEmbed({ values, abortSignal: signal }));
  assert.is(await aborted.catch((error: unknown) => error), signal.reason);
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test.run();
