/** The AI SDK's language model: options, parts and results as its specification has them. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createPlm } from "../../src/ai-sdk/index.js";
import { loadModel } from "../../src/index.js";
import { assertRejects } from "../model/support/engine.js";
import { modelOf, PROMPT, partsOf } from "./support/calls.js";
import { speaker } from "./support/speaker.js";

test("an answer: content, reason, usage, metadata", async () => {
  const said = speaker("Hello there.");
  const result = await modelOf(said).doGenerate({ prompt: PROMPT });
  assert.is(said.asked[0].prompt, "<system>Be kind.<user>Hi<answer>");
  assert.equal(result.content, [{ type: "text", text: "Hello there." }]);
  assert.equal(result.finishReason, { unified: "stop", raw: "eos" });
  assert.equal(result.usage, {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: undefined },
    outputTokens: { total: 3, text: 3, reasoning: undefined },
  });
  assert.equal(result.response, { id: "plm_1", timestamp: new Date(5), modelId: "mine" });
  assert.equal(result.warnings, []);
  assert.is(typeof result.providerMetadata!.plm.seed, "number");
  const cut = await modelOf(speaker("Hello")).doGenerate({ prompt: PROMPT, maxOutputTokens: 1 });
  assert.equal(cut.finishReason, { unified: "length", raw: "length" });
  const stopSequences = ["lo"];
  const stopped = await modelOf(speaker("Hello")).doGenerate({ prompt: PROMPT, stopSequences });
  assert.equal(stopped.finishReason, { unified: "stop", raw: "stop" });
});

test("all options reach the model, or there is a warning", async () => {
  const said = speaker("a", "b");
  const schema = { type: "object" } as const;
  const { warnings } = await modelOf(said).doGenerate({
    prompt: PROMPT,
    maxOutputTokens: 5,
    temperature: 0.5,
    stopSequences: ["x"],
    topP: 0.9,
    topK: 3,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 7,
    responseFormat: { type: "json", schema },
    headers: { a: "b" },
    reasoning: "high",
    tools: [{ type: "provider", id: "openai.search", name: "search", args: {} }],
    toolChoice: { type: "required" },
    providerOptions: { plm: { minP: 0.1, logitBias: { 1: 2 }, minp: 1 }, other: { minP: 1 } },
  });
  assert.equal(said.asked[0].options, {
    maxTokens: 5,
    temperature: 0.5,
    stop: ["x"],
    topP: 0.9,
    topK: 3,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 7,
    minP: 0.1,
    logitBias: { 1: 2 },
    responseFormat: { type: "json_schema", schema },
  });
  assert.equal(warnings, [
    { type: "unsupported", feature: "reasoning" },
    { type: "unsupported", feature: "provider-defined tool openai.search" },
    { type: "unsupported", feature: "providerOptions.plm.minp" },
  ]);
  await modelOf(said).doGenerate({ prompt: PROMPT, responseFormat: { type: "json" } });
  assert.equal(said.asked[1].options, { responseFormat: { type: "json" } });
});

test("a stream's parts, in their order", async () => {
  const parts = await partsOf(modelOf(speaker("Hello")), {
    prompt: PROMPT,
    includeRawChunks: true,
  });
  const finish = parts.pop()!;
  assert.is(finish.type, "finish");
  assert.equal(parts, [
    { type: "stream-start", warnings: [] },
    {
      type: "response-metadata",
      id: "plm_1",
      timestamp: "1970-01-01T00:00:00.005Z",
      modelId: "mine",
    } as never,
    { type: "raw", rawValue: "Hell" },
    { type: "text-start", id: "text-0" },
    { type: "text-delta", id: "text-0", delta: "Hell" },
    { type: "raw", rawValue: "o" },
    { type: "text-delta", id: "text-0", delta: "o" },
    { type: "text-end", id: "text-0" },
  ]);
});

test("failures: before the answer, while it is written, and aborts", async () => {
  const wrong = { prompt: PROMPT, topK: -1 };
  const real = createPlm({ model: () => loadModel("models/plm-test.gguf") });
  await assertRejects(Promise.resolve(real().doGenerate(wrong)), "INVALID_ARGUMENT", "topK");
  const failing = speaker("Hello");
  const { generate } = failing.model;
  failing.model.generate = (tokens, options) => {
    const generation = generate(tokens, options);
    const pieces = generation[Symbol.asyncIterator]();
    const next = async (): Promise<never> => {
      await pieces.next();
      throw new RangeError("broken");
    };
    return { ...generation, [Symbol.asyncIterator]: () => ({ next }) } as never;
  };
  const parts = await partsOf(modelOf(failing), { prompt: PROMPT });
  assert.equal(parts.map(({ type }) => type).slice(-2), ["error", "finish"]);
  const controller = new AbortController();
  const options = { prompt: PROMPT, abortSignal: controller.signal };
  const { stream } = await modelOf(speaker("Hello there")).doStream(options);
  const reader = stream.getReader();
  for (let i = 0; i < 4; i++) await reader.read();
  controller.abort();
  const reason = await reader.read().catch((error: unknown) => error);
  assert.is(reason, controller.signal.reason);
  const aborted = modelOf(speaker("Hello")).doGenerate(options);
  assert.is(await Promise.resolve(aborted).catch((error: unknown) => error), reason);
});

test("a stream that its reader leaves gives the session back", async () => {
  const model = await loadModel("models/plm-test.gguf");
  const { stream } = await createPlm({ model })().doStream({ prompt: PROMPT });
  const reader = stream.getReader();
  for (let i = 0; i < 5; i++) await reader.read();
  await reader.cancel();
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test.run();
