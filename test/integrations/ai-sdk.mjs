// Checks of the AI SDK's functions with the models of plm-wasm/ai-sdk.
import assert from "node:assert/strict";
import {
  cosineSimilarity,
  embed,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  Output,
  streamText,
  tool,
} from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;

const prompt = "Once upon a time";
const short = { temperature: 0, maxOutputTokens: 12 };

const schema = z.object({
  name: z.enum(["Ann", "Bob"]),
  age: z.number().int().min(0).max(99),
  isKind: z.boolean(),
});

/** A tool with few answers, so that a small model's calls are short. */
function weatherTool(asked) {
  return tool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.enum(["Bern", "Rome"]) }),
    execute: async (input) => {
      asked.push(input);
      return { sky: "grey" };
    },
  });
}

/** The checks, by name, of a provider and its model; `long` has a long context. */
export function checksOf({ plm, model, long }) {
  const expected = (options = {}) =>
    model.chat([{ role: "user", content: prompt }], { temperature: 0, maxTokens: 12, ...options });
  return {
    ...textChecks({ plm, model, expected }),
    ...objectChecks({ plm: long }),
    ...toolChecks({ plm: long }),
    ...embedChecks({ plm, model }),
  };
}

function textChecks({ plm, model, expected }) {
  return {
    "generateText: text, usage, reason, response": async () => {
      const result = await generateText({ model: plm("mine"), prompt, ...short });
      const { text, promptTokens, tokens } = await expected().result();
      assert.equal(result.text, text);
      assert.equal(result.finishReason, "length");
      assert.equal(result.usage.inputTokens, promptTokens);
      assert.equal(result.usage.outputTokens, tokens.length);
      assert.equal(result.response.modelId, "mine");
      assert.deepEqual(result.warnings ?? [], []);
    },
    "generateText: options and providerOptions": async () => {
      const samplers = { topK: 5, topP: 0.9, seed: 3, frequencyPenalty: 0.5, presencePenalty: 0.1 };
      const options = { ...samplers, temperature: 1, stopSequences: ["z"], maxOutputTokens: 20 };
      const providerOptions = { plm: { minP: 0.2, repetitionPenalty: 1.2 } };
      const { text } = await generateText({ model: plm(), prompt, ...options, providerOptions });
      const own = { ...samplers, temperature: 1, stop: ["z"], maxTokens: 20 };
      assert.equal(text, await expected({ ...own, minP: 0.2, repetitionPenalty: 1.2 }).text());
    },
    "generateText: an image is refused": async () => {
      const image = { type: "image", image: new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]) };
      const messages = [{ role: "user", content: [{ type: "text", text: "What?" }, image] }];
      await assert.rejects(generateText({ model: plm(), messages, maxRetries: 0 }), (error) =>
        /media type image/.test(error.message),
      );
    },
    "streamText: deltas, and the same text": async () => {
      const result = streamText({ model: plm(), prompt, ...short });
      const pieces = [];
      for await (const piece of result.textStream) pieces.push(piece);
      assert.ok(pieces.length > 1);
      assert.equal(pieces.join(""), await expected().text());
      assert.equal(await result.finishReason, "length");
      assert.ok((await result.usage).inputTokens > 0);
    },
    "streamText: parts in their order": async () => {
      const result = streamText({ model: plm(), prompt, ...short });
      const types = [];
      for await (const { type } of result.fullStream) if (type !== types.at(-1)) types.push(type);
      const text = ["text-start", "text-delta", "text-end"];
      assert.deepEqual(types, ["start", "start-step", ...text, "finish-step", "finish"]);
    },
    "streamText: an abort ends the stream and gives the session back": async () => {
      const controller = new AbortController();
      const abortSignal = controller.signal;
      const result = streamText({ model: plm(), prompt, temperature: 0, abortSignal });
      const types = new Set();
      for await (const { type } of result.fullStream) {
        types.add(type);
        if (type === "text-delta") controller.abort();
      }
      assert.ok(types.has("abort"), [...types].join());
      assert.ok(!types.has("error") && !types.has("finish"), [...types].join());
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(model.pagesInUse, 0);
    },
    "generateText: an abort rejects with its reason": async () => {
      const abortSignal = AbortSignal.abort(new Error("enough"));
      await assert.rejects(generateText({ model: plm(), prompt, abortSignal }), /enough/);
    },
  };
}

function objectChecks({ plm }) {
  const model = plm();
  const options = { model, prompt: "A person.", temperature: 1, maxOutputTokens: 300 };
  return {
    "generateObject: a schema": async () => {
      for (let seed = 0; seed < 5; seed++) {
        const { object, finishReason } = await generateObject({ ...options, seed, schema });
        assert.equal(finishReason, "stop");
        schema.parse(object);
      }
    },
    "generateText with Output.object": async () => {
      const output = Output.object({ schema });
      schema.parse((await generateText({ ...options, seed: 1, output })).output);
    },
    "streamText with Output.object": async () => {
      const result = streamText({ ...options, seed: 2, output: Output.object({ schema }) });
      let last;
      for await (const partial of result.partialOutputStream) last = partial;
      assert.deepEqual(schema.parse(last), await result.output);
    },
    "generateText with Output.choice": async () => {
      const output = Output.choice({ options: ["sun", "rain"] });
      assert.match((await generateText({ ...options, seed: 1, output })).output, /^(sun|rain)$/);
    },
  };
}

function toolChecks({ plm }) {
  const options = { model: plm(), prompt: "The weather in Bern?", temperature: 1, seed: 1 };
  return {
    "generateText: tools in several steps": async () => {
      const asked = [];
      const result = await generateText({
        ...options,
        maxOutputTokens: 120,
        tools: { weather: weatherTool(asked) },
        prepareStep: ({ stepNumber }) => ({
          toolChoice: stepNumber < 2 ? { type: "tool", toolName: "weather" } : "none",
        }),
        stopWhen: isStepCount(3),
      });
      assert.equal(result.steps.length, 3);
      assert.equal(asked.length, 2);
      for (const { city } of asked) assert.match(city, /^(Bern|Rome)$/);
      assert.equal(result.steps[0].finishReason, "tool-calls");
      assert.equal(result.steps[0].text, "");
      assert.deepEqual(result.steps[1].toolResults[0].output, { sky: "grey" });
      assert.equal(result.steps[2].toolCalls.length, 0);
    },
    "streamText: a required tool, its input in pieces": async () => {
      const asked = [];
      const result = streamText({
        ...options,
        maxOutputTokens: 120,
        tools: { weather: weatherTool(asked) },
        toolChoice: "required",
        providerOptions: { plm: { parallelToolCalls: false } },
      });
      const parts = [];
      for await (const part of result.fullStream) parts.push(part);
      const types = parts.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
      const input = ["tool-input-start", "tool-input-delta", "tool-input-end", "tool-call"];
      const step = ["start-step", ...input, "tool-result", "finish-step"];
      assert.deepEqual(types, ["start", ...step, "finish"]);
      const deltas = parts.filter(({ type }) => type === "tool-input-delta");
      assert.deepEqual(
        JSON.parse(deltas.map((part) => part.delta ?? part.text).join("")),
        asked[0],
      );
    },
    "generateText: tools that the model need not call": async () => {
      const tools = { weather: weatherTool([]) };
      const result = await generateText({ ...options, ...short, tools });
      assert.ok(result.text.length > 0 || result.toolCalls.length > 0);
      assert.ok(!result.text.includes("<tool_call>"));
    },
    "generateText: a tool and a schema for the answer": async () => {
      const asked = [];
      const { output, steps } = await generateText({
        ...options,
        maxOutputTokens: 300,
        tools: { weather: weatherTool(asked) },
        output: Output.object({ schema }),
        prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "none" }),
        providerOptions: { plm: { parallelToolCalls: false } },
        stopWhen: isStepCount(2),
      });
      assert.equal(steps.length, 2);
      assert.equal(asked.length, 1);
      schema.parse(output);
    },
  };
}

function embedChecks({ plm, model }) {
  return {
    "embed and embedMany": async () => {
      const embedder = plm.embeddingModel();
      const { embedding, usage } = await embed({ model: embedder, value: prompt });
      assert.equal(embedding.length, model.config.hiddenSize);
      assert.ok(usage.tokens > 0);
      const values = [prompt, "The end", prompt];
      const { embeddings } = await embedMany({ model: embedder, values });
      assert.deepEqual(embeddings[0], embedding);
      assert.ok(cosineSimilarity(embeddings[0], embeddings[2]) > 0.999);
      assert.ok(cosineSimilarity(embeddings[0], embeddings[1]) < 0.999);
    },
  };
}
