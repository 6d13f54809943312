/** The AI SDK's language model: prompts, options, parts and results as its specification has them. */
import type {
  EmbeddingModelV4,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  ProviderV4,
} from "@ai-sdk/provider";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createPlm } from "../../src/ai-sdk/index.js";
import { textOfCall } from "../../src/generation/tool-calls/call-format.js";
import { loadModel } from "../../src/index.js";
import { assertRejects, assertThrows } from "../model/support/engine.js";
import { type Speaker, speaker } from "./support/speaker.js";

const PROMPT: LanguageModelV4CallOptions["prompt"] = [
  { role: "system", content: "Be kind." },
  {
    role: "user",
    content: [
      { type: "text", text: "H" },
      { type: "text", text: "i" },
    ],
  },
];
const TOOLS: LanguageModelV4CallOptions["tools"] = [
  {
    type: "function",
    name: "weather",
    description: "Of a city.",
    inputSchema: { type: "object", properties: { city: { type: "string" } } },
  },
];
const ARGS = '{"city": "Bern"}';
const CALL = textOfCall("weather", ARGS);

/** The speaker as a model whose ids and times are known. */
function modelOf({ model }: Speaker): LanguageModelV4 {
  return createPlm({ model, generateId: () => "plm_1", now: () => 5 })("mine");
}

/** The parts of a stream; ids of calls become "call". */
async function partsOf(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
): Promise<LanguageModelV4StreamPart[]> {
  const { stream } = await model.doStream(options);
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) {
    parts.push(JSON.parse(JSON.stringify(part).replaceAll(/call_\w{24}/g, "call")));
  }
  return parts;
}

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

test("calls of tools, in a stream and in a result", async () => {
  const answer = `See: ${CALL}\n${CALL} Done.`;
  const options = { prompt: PROMPT, tools: TOOLS };
  const said = speaker(answer, answer);
  const parts = await partsOf(modelOf(said), options);
  const call = { type: "tool-call", toolCallId: "call", toolName: "weather", input: ARGS };
  const types = parts.map(({ type }) => type);
  const ofCall = ["tool-input-start", "tool-input-delta", "tool-input-end", "tool-call"];
  assert.equal(
    types.filter((type, i) => type !== types[i - 1]),
    [
      ...["stream-start", "response-metadata", "text-start", "text-delta", "text-end"],
      ...[...ofCall, ...ofCall, "text-start", "text-delta", "text-end", "finish"],
    ],
  );
  assert.equal(
    parts.filter(({ type }) => type === "tool-call"),
    [call, call],
  );
  assert.equal(
    parts.find(({ type }) => type === "tool-input-start"),
    { type: "tool-input-start", id: "call", toolName: "weather" },
  );
  const deltas = parts.flatMap((part) => (part.type === "tool-input-delta" ? [part.delta] : []));
  assert.is(deltas.join(""), ARGS + ARGS);
  const { content, finishReason } = await modelOf(said).doGenerate(options);
  assert.equal(
    content.map((part) => (part.type === "text" ? part.text : part.type)),
    ["See:", "tool-call", "tool-call", "Done."],
  );
  assert.is(finishReason.unified, "tool-calls");
  assert.is(said.asked[0].options.responseFormat?.type, "structural_tag");
  assert.match(said.asked[0].prompt, /^<system>Be kind\.\n\n# Tools\n.*"Of a city\."/s);
  // One that is cut short.
  const cut = await partsOf(modelOf(speaker(CALL)), { ...options, maxOutputTokens: 12 });
  assert.equal(
    cut.slice(-2).map(({ type }) => type),
    ["tool-input-end", "finish"],
  );
  assert.not(cut.some(({ type }) => type === "tool-call" || type === "text-delta"));
});

test("the choice of tools", async () => {
  const choices: [LanguageModelV4CallOptions["toolChoice"], boolean | undefined][] = [
    [{ type: "auto" }, undefined],
    [{ type: "required" }, true],
    [{ type: "tool", toolName: "weather" }, true],
  ];
  for (const [toolChoice, atLeastOne] of choices) {
    const said = speaker(CALL);
    await modelOf(said).doGenerate({ prompt: PROMPT, tools: TOOLS, toolChoice });
    assert.is(
      (said.asked[0].options.responseFormat as { atLeastOne?: boolean }).atLeastOne,
      atLeastOne,
    );
  }
  const said = speaker(CALL);
  const none = { prompt: PROMPT, tools: TOOLS, toolChoice: { type: "none" } as const };
  const { content } = await modelOf(said).doGenerate(none);
  assert.equal(content, [{ type: "text", text: CALL }]);
  assert.is(said.asked[0].prompt, "<system>Be kind.<user>Hi<answer>");
});

test("calls and results of earlier steps", async () => {
  const said = speaker("Rain.");
  const output = (value: unknown): never => value as never;
  const results = [
    output({ type: "json", value: { sky: "grey" } }),
    output({ type: "text", value: "wet" }),
    output({ type: "error-text", value: "no" }),
    output({ type: "execution-denied" }),
    output({ type: "content", value: [{ type: "text", text: "mud" }] }),
  ];
  const { warnings } = await modelOf(said).doGenerate({
    prompt: [
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "Hm." },
          { type: "text", text: "See:" },
          { type: "tool-call", toolCallId: "1", toolName: "weather", input: { city: "Bern" } },
        ],
      },
      {
        role: "tool",
        content: results.map((each) => ({
          type: "tool-result",
          toolCallId: "1",
          toolName: "weather",
          output: each,
        })),
      },
    ],
  });
  const texts = ['{"sky":"grey"}', "wet", "no", "The call was denied.", "mud"];
  assert.is(
    said.asked[0].prompt,
    `<assistant>See:\n${textOfCall("weather", '{"city":"Bern"}')}<user>` +
      `${texts.map((text) => `<tool_response>\n${text}\n</tool_response>`).join("\n")}<answer>`,
  );
  assert.equal(warnings, [{ type: "unsupported", feature: "reasoning parts of the prompt" }]);
});

test("files are refused as the AI SDK's providers do", async () => {
  const data = { type: "data", data: "AAAA" } as const;
  const content = [{ type: "file", mediaType: "image/png", data }] as const;
  for (const call of ["doGenerate", "doStream"] as const) {
    const prompt = [{ role: "user" as const, content: [...content] }];
    const error = await modelOf(speaker())
      [call]({ prompt })
      .then(
        () => undefined,
        (reason: unknown) => reason as Record<symbol | string, unknown>,
      );
    assert.is(error?.functionality, "file part media type image/png");
    assert.is(error?.[Symbol.for("vercel.ai.error.AI_UnsupportedFunctionalityError")], true);
  }
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

test("a stream that its reader leaves gives the session back", async () => {
  const model = await loadModel("models/plm-test.gguf");
  const { stream } = await createPlm({ model })().doStream({ prompt: PROMPT });
  const reader = stream.getReader();
  for (let i = 0; i < 5; i++) await reader.read();
  await reader.cancel();
  assert.is(model.pagesInUse, 0);
  model.dispose();
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
