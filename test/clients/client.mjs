// The official clients of OpenAI and Ollama against a server: [runtime] client.mjs URL. Its model
// is models/plm-tiny.gguf under the name plm-tiny, its key "secret".
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { runChecks } from "../runtimes/checks.mjs";

const url = process.argv[2];
const model = "plm-tiny";
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "secret", maxRetries: 0 });
const headers = { Authorization: "Bearer secret" };
const ollama = new Ollama({ host: url, headers });

const messages = [{ role: "user", content: "Once upon a time" }];
const chat = { model, messages, max_tokens: 8, seed: 1 };
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

/** Fails unless the text is JSON of the schema. */
function assertPerson(value) {
  const { name, age, ...rest } = typeof value === "string" ? JSON.parse(value) : value;
  assert.ok(schema.properties.name.enum.includes(name));
  assert.ok(Number.isInteger(age) && age >= 1 && age <= 9);
  assert.deepEqual(rest, {});
}

/** Waits until nothing runs in the server. */
async function untilIdle() {
  for (let i = 0; i < 200; i++) {
    const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
    if (/requests_processing 0\n/.test(metrics)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("a generation goes on");
}

async function textOf(stream, pieceOf) {
  let text = "";
  for await (const part of stream) text += pieceOf(part) ?? "";
  return text;
}

const openaiChecks = {
  async "openai: models"() {
    const ids = [];
    for await (const { id } of openai.models.list()) ids.push(id);
    assert.deepEqual(ids, [model]);
    assert.equal((await openai.models.retrieve(model)).id, model);
  },
  async "openai: chat, whole and in pieces"() {
    const whole = await openai.chat.completions.create(chat);
    assert.equal(whole.choices[0].finish_reason, "length");
    assert.equal(whole.usage.completion_tokens, 8);
    const options = { ...chat, stream: true, stream_options: { include_usage: true } };
    let usage;
    const text = await textOf(await openai.chat.completions.create(options), (chunk) => {
      usage = chunk.usage ?? usage;
      return chunk.choices[0]?.delta.content;
    });
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(usage.completion_tokens, 8);
  },
  async "openai: the stream helper"() {
    const runner = openai.chat.completions.stream({ ...chat, logprobs: true, top_logprobs: 1 });
    const final = await runner.finalChatCompletion();
    const { message, logprobs } = final.choices[0];
    assert.equal(logprobs.content.map(({ token }) => token).join(""), message.content);
  },
  async "openai: log probabilities and several answers"() {
    const { choices } = await openai.chat.completions.create({
      ...{ ...chat, n: 2, logprobs: true, top_logprobs: 3 },
    });
    assert.deepEqual(
      choices.map(({ index }) => index),
      [0, 1],
    );
    for (const { logprobs } of choices) {
      assert.equal(logprobs.content.length, 8);
      assert.equal(logprobs.content[0].top_logprobs.length, 3);
    }
  },
  async "openai: completions"() {
    const body = { model, prompt: "Once upon a time", max_tokens: 6, seed: 1, logprobs: 1 };
    const whole = await openai.completions.create({ ...body, echo: false });
    assert.equal(whole.choices[0].logprobs.tokens.length, 6);
    const stream = await openai.completions.create({ ...body, stream: true });
    const text = await textOf(stream, ({ choices }) => choices[0]?.text);
    assert.equal(text, whole.choices[0].text);
  },
  async "openai: responses, whole and in pieces"() {
    const body = { model, input: "Once upon a time", max_output_tokens: 20 };
    const whole = await openai.responses.create(body);
    assert.ok(whole.output_text.length > 0);
    let completed;
    const stream = await openai.responses.create({ ...body, stream: true });
    const text = await textOf(stream, (event) => {
      if (event.type === "response.incomplete" || event.type === "response.completed") {
        completed = event.response;
      }
      return event.type === "response.output_text.delta" ? event.delta : "";
    });
    assert.equal(text, completed.output[0].content[0].text);
    const final = await openai.responses.stream(body).finalResponse();
    assert.ok(final.output_text.length > 0);
  },
  async "openai: embeddings"() {
    // The client asks for base64 by itself.
    const { data } = await openai.embeddings.create({ model, input: ["a", "Once upon a time"] });
    for (const { embedding } of data) assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5);
  },
  async "openai: JSON of a schema"() {
    const json_schema = { name: "person", strict: true, schema };
    const response_format = { type: "json_schema", json_schema };
    const options = { ...chat, max_tokens: 60, response_format };
    const { choices } = await openai.chat.completions.create(options);
    assertPerson(choices[0].message.content);
    const parsed = await openai.chat.completions.parse(options);
    assertPerson(parsed.choices[0].message.parsed);
  },
  async "openai: calls of tools"() {
    const options = { ...chat, max_tokens: 100, tools: [tool], tool_choice: "required" };
    const { choices } = await openai.chat.completions.create({
      ...{ ...options, parallel_tool_calls: false },
    });
    const [call] = choices[0].message.tool_calls;
    assert.equal(choices[0].finish_reason, "tool_calls");
    assertPerson(call.function.arguments);
    const result = { role: "tool", tool_call_id: call.id, content: "Hello!" };
    const next = [...messages, choices[0].message, result];
    const answer = await openai.chat.completions.create({ ...chat, messages: next });
    assert.ok(answer.choices[0].message.content.length > 0);
    const named = { type: "function", function: { name: "greet" } };
    const runner = openai.chat.completions.stream({ ...options, tool_choice: named });
    const final = await runner.finalChatCompletion();
    assertPerson(final.choices[0].message.tool_calls[0].function.arguments);
  },
  async "openai: errors are its own classes"() {
    const { BadRequestError, AuthenticationError, NotFoundError } = OpenAI;
    const create = (fields, client = openai) =>
      client.chat.completions.create({ ...chat, ...fields });
    await assert.rejects(create({ top_p: 3 }), (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.deepEqual([error.param, error.status], ["top_p", 400]);
      return true;
    });
    await assert.rejects(create({ model: "gpt-4o" }), NotFoundError);
    await assert.rejects(create({ stream: true, n: 0 }), BadRequestError);
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "wrong", maxRetries: 0 });
    await assert.rejects(create({}, stranger), AuthenticationError);
  },
  async "openai: an abort ends the generation"() {
    const endless = { ...chat, max_tokens: 500, ignore_eos: true };
    const stream = await openai.chat.completions.create({ ...endless, stream: true });
    for await (const _ of stream) break;
    await untilIdle();
    const controller = new AbortController();
    const { signal } = controller;
    setTimeout(() => controller.abort(), 30);
    await assert.rejects(openai.chat.completions.create(endless, { signal }));
    await untilIdle();
  },
};

const options = { num_predict: 8, seed: 1 };
const ollamaChecks = {
  async "ollama: list, show and ps"() {
    assert.deepEqual(
      (await ollama.list()).models.map(({ name }) => name),
      [model],
    );
    assert.equal((await ollama.show({ model })).details.family, "plm");
    assert.equal((await ollama.ps()).models[0].name, model);
  },
  async "ollama: chat, whole and in pieces"() {
    const whole = await ollama.chat({ model, messages, options });
    assert.equal(whole.eval_count, 8);
    const stream = await ollama.chat({ model, messages, options, stream: true });
    const text = await textOf(stream, ({ message }) => message.content);
    assert.equal(text, whole.message.content);
  },
  async "ollama: generate, whole and in pieces"() {
    const body = { model, prompt: "Once upon a time", options };
    const whole = await ollama.generate(body);
    const stream = await ollama.generate({ ...body, stream: true });
    assert.equal(await textOf(stream, ({ response }) => response), whole.response);
    const raw = await ollama.generate({ ...body, raw: true });
    assert.equal(raw.done_reason, "length");
  },
  async "ollama: embed"() {
    const { embeddings } = await ollama.embed({ model, input: ["a", "b"] });
    assert.equal(embeddings.length, 2);
    assert.ok(Math.abs(Math.hypot(...embeddings[0]) - 1) < 1e-5);
  },
  async "ollama: JSON of a schema"() {
    const long = { num_predict: 60 };
    const { message } = await ollama.chat({ model, messages, format: schema, options: long });
    assertPerson(message.content);
  },
  async "ollama: tools are offered"() {
    const { message } = await ollama.chat({ model, messages, tools: [tool], options });
    assert.equal(message.role, "assistant");
  },
  async "ollama: errors"() {
    await assert.rejects(ollama.chat({ model: "llama3", messages }), { status_code: 404 });
    await assert.rejects(ollama.chat({ model, messages, options: { top_p: 3 } }), /top_p/);
  },
  async "ollama: an abort ends the generation"() {
    const endless = { num_predict: 500 };
    const own = new Ollama({ host: url, headers });
    const stream = await own.chat({ model, messages, options: endless, stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream) stream.abort();
    });
    await untilIdle();
  },
};

const { failed } = await runChecks({ ...openaiChecks, ...ollamaChecks });
process.exit(failed === 0 ? 0 : 1);
