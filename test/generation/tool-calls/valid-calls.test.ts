/** A model of random weights calls tools as their schemas say, whatever the choice. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createRandomModel, DEFAULT_RANDOM_MODEL } from "../../../src/cli/random-model.js";
import { type ChatGenerateOptions, type FunctionTool, loadModel } from "../../../src/index.js";

const random = { ...DEFAULT_RANDOM_MODEL, layers: 2, context: 2048 };
const file = Buffer.concat([...createRandomModel(random)].map((piece) => piece.slice()));
const model = await loadModel(file);

const CITIES = ["Bern", "Rome"];
const tools: FunctionTool[] = [
  {
    type: "function",
    function: {
      name: "weather",
      parameters: {
        type: "object",
        properties: { city: { enum: CITIES }, isToday: { type: "boolean" } },
        required: ["city"],
        additionalProperties: false,
      },
    },
  },
  { type: "function", function: { name: "now" } },
];
const messages = [{ role: "user", content: "The weather?" }];

/** Fails unless the arguments are as the tool's schema says. */
function assertValid({ name, arguments: args }: { name: string; arguments: string }): void {
  const value = JSON.parse(args);
  if (name === "now") {
    assert.equal(value, {});
    return;
  }
  assert.is(name, "weather");
  assert.ok(CITIES.includes(value.city), args);
  assert.ok(["boolean", "undefined"].includes(typeof value.isToday), args);
  assert.ok(Object.keys(value).length <= 2, args);
}

test("required calls", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const options = { tools, toolChoice: "required", temperature: 1.5, seed } as const;
    const one = { ...options, parallelToolCalls: false };
    const { text, toolCalls, finishReason } = await model.chat(messages, one).result();
    assert.equal([text, toolCalls!.length, finishReason], ["", 1, "eos"]);
    assertValid(toolCalls![0].function);
    const many = await model.chat(messages, { ...options, maxTokens: 200 }).result();
    assert.ok(many.toolCalls!.length > 0);
    for (const call of many.toolCalls!) assertValid(call.function);
  }
});

test("calls of one tool, in this thread and in a worker", async () => {
  const remote = await loadModel(file, { worker: true });
  const options = { tools, toolChoice: { name: "now" }, temperature: 1.5, seed: 1 };
  for (const each of [model, remote]) {
    const { text, toolCalls, finishReason } = await each.chat(messages, options).result();
    assert.equal([text, finishReason], ["", "eos"]);
    assert.equal(
      toolCalls!.map((call) => call.function),
      [{ name: "now", arguments: "{}" }],
    );
  }
  remote.dispose();
});

test("a call or JSON of the answer's schema", async () => {
  const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
  const options: ChatGenerateOptions = {
    tools,
    responseFormat: { type: "json_schema", schema: { ...schema, additionalProperties: false } },
    temperature: 1.5,
  };
  const kinds = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { text, toolCalls, finishReason } = await model
      .chat(messages, { ...options, seed })
      .result();
    assert.is(finishReason, "eos");
    kinds.add(toolCalls!.length > 0 ? "call" : "answer");
    if (toolCalls!.length === 0) assert.type(JSON.parse(text).ok, "boolean");
    else assert.is(text, "");
    for (const call of toolCalls!) assertValid(call.function);
  }
  assert.is(kinds.size, 2);
});

test("free text where no call is required; schemas beyond us are refused", async () => {
  const options = { tools, maxTokens: 30, temperature: 1.5, seed: 1 };
  const { text, toolCalls } = await model.chat(messages, options).result();
  assert.ok(text !== "" || toolCalls!.length > 0);
  const parameters = { type: "object", properties: { a: { $ref: "https://example.com/a" } } };
  const odd: FunctionTool = { type: "function", function: { name: "f", parameters } };
  const error = await model
    .chat(messages, { tools: [odd] })
    .result()
    .catch((reason) => reason);
  assert.is(error.code, "INVALID_ARGUMENT");
});

test.run();
