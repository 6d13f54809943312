// Checks of earlier AI SDKs with the models of plm-wasm/ai-sdk: version 6 by V3, version 5 by V2.
import assert from "node:assert/strict";
import * as ai5 from "ai5";
import * as ai6 from "ai6";
import { z } from "zod";
import { v2, v3 } from "../../build/src/ai-sdk/index.js";

const prompt = "Once upon a time";

/** The checks, by name, of a provider and its model; `long` is one with a long context. */
export function checksOf({ plm, model, long }) {
  return { ...checksWith("ai 6", ai6, v3), ...checksWith("ai 5", ai5, v2) };

  function checksWith(title, { embed, generateObject, generateText, streamText, tool }, adapt) {
    const expected = () =>
      model.chat([{ role: "user", content: prompt }], { temperature: 0, maxTokens: 12 }).text();
    const short = { model: adapt(plm()), prompt, temperature: 0, maxOutputTokens: 12 };
    return {
      [`${title}: generateText`]: async () => {
        const { text, usage, finishReason } = await generateText(short);
        assert.equal(text, await expected());
        assert.equal(finishReason, "length");
        assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
        assert.equal(usage.outputTokens, 12);
      },
      [`${title}: streamText`]: async () => {
        const result = streamText(short);
        let text = "";
        for await (const piece of result.textStream) text += piece;
        assert.equal(text, await expected());
        assert.equal((await result.usage).outputTokens, 12);
      },
      [`${title}: generateObject`]: async () => {
        const schema = z.object({ name: z.enum(["Ann", "Bob"]), isKind: z.boolean() });
        const options = { model: adapt(long()), prompt, seed: 1, maxOutputTokens: 300 };
        schema.parse((await generateObject({ ...options, schema })).object);
      },
      [`${title}: a tool`]: async () => {
        const weather = tool({
          description: "The weather of a city.",
          inputSchema: z.object({ city: z.enum(["Bern", "Rome"]) }),
          execute: async () => "rain",
        });
        const toolChoice = { type: "tool", toolName: "weather" };
        const options = { model: adapt(long()), prompt, seed: 1, maxOutputTokens: 120, toolChoice };
        const { toolResults } = await generateText({ ...options, tools: { weather } });
        assert.deepEqual(
          toolResults.map(({ output }) => output),
          ["rain"],
        );
      },
      [`${title}: embed`]: async () => {
        const { embedding } = await embed({ model: adapt(plm.embeddingModel()), value: prompt });
        assert.equal(embedding.length, model.config.hiddenSize);
      },
    };
  }
}
