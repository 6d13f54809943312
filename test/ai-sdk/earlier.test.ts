/** Models for the AI SDK's earlier specifications. */
import type {
  EmbeddingModelV2,
  EmbeddingModelV3,
  LanguageModelV2,
  LanguageModelV2CallOptions,
  LanguageModelV2StreamPart,
  LanguageModelV3,
} from "@ai-sdk/provider";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createPlm, v2, v3 } from "../../src/ai-sdk/index.js";
import { speaker } from "./support/speaker.js";

const PROMPT = [{ role: "user" as const, content: [{ type: "text" as const, text: "Hi" }] }];
const OPTIONS: LanguageModelV2CallOptions = {
  prompt: PROMPT,
  providerOptions: { plm: { minp: 1 } },
};

test("V3 has another version only", async () => {
  const plm = createPlm({ model: speaker("Hello").model });
  const model: LanguageModelV3 = v3(plm());
  const embedder: EmbeddingModelV3 = v3(plm.embeddingModel());
  assert.equal([model.specificationVersion, embedder.specificationVersion], ["v3", "v3"]);
  const { content, finishReason } = await model.doGenerate({ prompt: PROMPT });
  assert.equal(content, [{ type: "text", text: "Hello" }]);
  assert.equal(finishReason, { unified: "stop", raw: "eos" });
});

test("V2 has plain reasons and numbers, and other warnings", async () => {
  const plm = createPlm({ model: speaker("Hello", "Hello").model });
  const model: LanguageModelV2 = v2(plm());
  const embedder: EmbeddingModelV2<string> = v2(plm.embeddingModel());
  assert.equal([model.specificationVersion, embedder.specificationVersion], ["v2", "v2"]);
  const expected = {
    finishReason: "stop",
    usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, cachedInputTokens: 0 },
    warnings: [{ type: "unsupported-setting", setting: "providerOptions.plm.minp" }],
  };
  const { finishReason, usage, warnings, content } = await model.doGenerate(OPTIONS);
  assert.equal({ finishReason, usage, warnings }, expected);
  assert.equal(content, [{ type: "text", text: "Hello" }]);
  const { stream } = await model.doStream(OPTIONS);
  const parts: LanguageModelV2StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  assert.equal(parts[0], { type: "stream-start", warnings: expected.warnings as never });
  const finish = parts.at(-1) as LanguageModelV2StreamPart & { type: "finish" };
  assert.equal([finish.finishReason, finish.usage], ["stop", expected.usage]);
  const text = parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join("");
  assert.is(text, "Hello");
});

test.run();
