/** Forms of answers, and calls of tools. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/generation/load-model.js";
import { ask, chunks, type Json, loadSmall, refusal, request, serve } from "./support/server.js";

const CHAT = "/v1/chat/completions";
const messages = [{ role: "user", content: "Once upon a time" }];
const schema = {
  type: "object",
  properties: { name: { enum: ["Tim", "Lily"] }, age: { type: "integer", minimum: 1, maximum: 9 } },
  required: ["name", "age"],
  additionalProperties: false,
};
const tool = {
  type: "function",
  function: { name: "greet", description: "Greets somebody.", parameters: schema },
};
const validate = new Ajv2020().compile(schema);

const model = await loadSmall();
const handler = await serve(model);
/** One with a context for tools. */
const larger = await loadModel("models/plm-tiny.gguf");
const caller = await serve(larger);
test.after(() => {
  model.dispose();
  larger.dispose();
});

/** Fails unless the text is JSON of the schema. */
function assertValid(text: string): void {
  assert.ok(validate(JSON.parse(text)), text);
}

const json_schema = { name: "person", strict: true, schema };

test("every route has JSON of a schema", async () => {
  const response_format = { type: "json_schema", json_schema };
  const chat = { messages, max_tokens: 60, seed: 1 };
  for (const fields of [{ response_format }, { json_schema: schema }]) {
    const { choices } = await ask(handler, CHAT, { ...chat, ...fields });
    assert.is(choices[0].finish_reason, "stop");
    assertValid(choices[0].message.content);
    const list = await chunks(handler, CHAT, { ...chat, ...fields });
    assertValid(list.map((chunk) => chunk.choices[0].delta.content ?? "").join(""));
  }
  const completion = { prompt: "Once", max_tokens: 60, response_format };
  assertValid((await ask(handler, "/v1/completions", completion)).choices[0].text);
  const text = { format: { type: "json_schema", ...json_schema } };
  const response = await ask(handler, "/v1/responses", { input: "a", max_output_tokens: 60, text });
  assert.is(response.status, "completed");
  assertValid(response.output[0].content[0].text);
  const options = { num_predict: 60 };
  const ollama = { stream: false, format: schema, options };
  assertValid((await ask(handler, "/api/chat", { ...ollama, messages })).message.content);
  assertValid((await ask(handler, "/api/generate", { ...ollama, prompt: "a" })).response);
});

test("JSON objects, and grammars", async () => {
  const body = { messages, seed: 2, response_format: { type: "json_object" } };
  const { choices } = await ask(handler, CHAT, { ...body, max_tokens: 100, temperature: 0 });
  assert.ok(choices[0].message.content.trimStart().startsWith("{"));
  const grammar = 'root ::= "yes" | "no"';
  const answer = await ask(handler, CHAT, { messages, grammar, max_tokens: 9 });
  assert.match(answer.choices[0].message.content, /^(yes|no)$/);
});

test("a form that cannot be honoured is refused before a stream begins", async () => {
  const wrong: readonly [fields: object, param: string][] = [
    [{ grammar: "root ::= (" }, "grammar"],
    [{ json_schema: { $ref: "https://elsewhere.example/x" } }, "json_schema"],
    [{ json_schema: { pattern: "(?<=a)b", type: "string" } }, "json_schema"],
  ];
  for (const [fields, param] of wrong) {
    for (const stream of [true, false]) {
      const error = await refusal(handler, 400, CHAT, {
        messages,
        stream,
        max_tokens: 9,
        ...fields,
      });
      assert.is(error.param, param, error.message);
    }
  }
  const format = { $ref: "https://elsewhere.example/x" };
  const response = await handler(request("/api/chat", { messages, format }));
  assert.is(response.status, 400);
  assert.match(((await response.json()) as Json).error, /^format: expected/);
});

test("calls of tools, whole and in pieces", async () => {
  const body = { messages, tools: [tool], tool_choice: "required", max_tokens: 120, seed: 3 };
  const once = { ...body, parallel_tool_calls: false };
  const { choices } = await ask(caller, CHAT, once);
  const { message, finish_reason } = choices[0];
  assert.equal([finish_reason, message.content], ["tool_calls", null]);
  assert.is(message.tool_calls.length, 1);
  const [{ id, type, function: called }] = message.tool_calls;
  assert.match(id, /^call_/);
  assert.equal([type, called.name], ["function", "greet"]);
  assertValid(called.arguments);

  const list = await chunks(caller, CHAT, once);
  const deltas = list.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  assert.equal(Object.keys(deltas[0]), ["index", "id", "type", "function"]);
  assert.is(deltas[0].function.name, "greet");
  assert.is(deltas.map((delta) => delta.function.arguments).join(""), called.arguments);
  assert.is(list.at(-1).choices[0].finish_reason, "tool_calls");

  const named = { ...body, tool_choice: { type: "function", function: { name: "greet" } } };
  assert.is((await ask(caller, CHAT, named)).choices[0].message.tool_calls.length, 1);

  const next = [...messages, message, { role: "tool", tool_call_id: id, content: "Hello!" }];
  const answer = await ask(caller, CHAT, { messages: next, tools: [tool], max_tokens: 2 });
  assert.is(answer.usage.completion_tokens, 2);
});

test("calls in responses and in Ollama's chats", async () => {
  const { name, description, parameters } = tool.function;
  const tools = [{ type: "function", name, description, parameters }];
  const body = {
    input: "a",
    tools,
    tool_choice: { type: "function", name },
    max_output_tokens: 99,
  };
  const { output } = await ask(caller, "/v1/responses", body);
  assert.equal([output.length, output[0].type, output[0].name], [1, "function_call", "greet"]);
  assertValid(output[0].arguments);
  const items = [
    { role: "user", content: "a" },
    ...output,
    { type: "function_call_output", call_id: output[0].call_id, output: "Hello!" },
  ];
  const next = await ask(caller, "/v1/responses", { input: items, tools, max_output_tokens: 2 });
  assert.is(next.usage.output_tokens, 2);

  const options = { num_predict: 120, seed: 3 };
  const chat = { messages, tools: [tool], tool_choice: "required", options };
  const { message } = await ask(caller, "/api/chat", { ...chat, stream: false });
  assert.is(message.tool_calls[0].function.name, "greet");
  assert.ok(validate(message.tool_calls[0].function.arguments));
  const response = await caller(request("/api/chat", chat));
  const lines = (await response.text()).trimEnd().split("\n");
  const calls = lines.flatMap((line) => JSON.parse(line).message.tool_calls ?? []);
  assert.equal(calls, message.tool_calls);
});

test.run();
