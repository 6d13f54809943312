/** Ollama's routes. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ask, type Json, loadSmall, request, serve } from "./support/server.js";

const messages = [{ role: "user", content: "Once upon a time" }];

const model = await loadSmall();
const handler = await serve(model, { modelName: "small" });
test.after(() => model.dispose());

/** The objects of a stream of JSON lines, with the last one's apart. */
async function stream(path: string, body: object): Promise<{ pieces: Json[]; last: Json }> {
  const response = await handler(request(path, body));
  assert.is(response.headers.get("content-type"), "application/x-ndjson");
  const lines = (await response.text()).split("\n");
  assert.is(lines.pop(), "");
  const objects = lines.map((line) => JSON.parse(line));
  for (const each of objects) {
    assert.is(each.model, "small");
    assert.ok(!Number.isNaN(Date.parse(each.created_at)));
  }
  const last = objects.pop();
  assert.ok(objects.every(({ done }) => done === false));
  assert.is(last.done, true);
  return { pieces: objects, last };
}

/** The error of an answer of a status, in Ollama's shape. */
async function refused(status: number, path: string, body?: unknown): Promise<string> {
  const response = await handler(request(path, body));
  const json = await response.json();
  assert.is(response.status, status, JSON.stringify(json));
  assert.equal(Object.keys(json), ["error"]);
  return json.error;
}

test("a chat, in pieces and whole", async () => {
  const expected = await model.chat(messages, { maxTokens: 8, seed: 5 }).result();
  const body = { model: "small:latest", messages, options: { num_predict: 8, seed: 5 } };
  const { pieces, last } = await stream("/api/chat", body);
  assert.is(pieces.map(({ message }) => message.content).join(""), expected.text);
  assert.equal([last.done_reason, last.eval_count], ["length", 8]);
  assert.is(last.prompt_eval_count, expected.promptTokens);
  assert.ok(Number.isInteger(last.total_duration) && last.total_duration > last.eval_duration);
  const whole = await ask(handler, "/api/chat", { ...body, stream: false, keep_alive: "5m" });
  assert.equal(whole.message, { role: "assistant", content: expected.text });
  assert.is(whole.done, true);
});

test("a text, by template, raw, and on from a context", async () => {
  const prompt = "Once upon a time";
  const options = { num_predict: 6, temperature: 0 };
  const chat = await model.chat(messages, { maxTokens: 6, temperature: 0 }).text();
  const raw = await model.generate(prompt, { maxTokens: 6, temperature: 0 }).result();
  const { pieces, last } = await stream("/api/generate", { prompt, options });
  assert.is(pieces.map(({ response }) => response).join(""), chat);
  assert.ok(last.context.length > 6);
  const body = { prompt, raw: true, stream: false, options };
  const first = await ask(handler, "/api/generate", body);
  assert.is(first.response, raw.text);
  assert.equal(first.context, [...model.tokenizer.encode(prompt), ...raw.tokens]);
  const next = { ...body, prompt: " and", context: first.context };
  const tokens = [...first.context, ...model.tokenizer.encode(" and")];
  const expected = await model.generate(tokens, { maxTokens: 6, temperature: 0 }).text();
  assert.is((await ask(handler, "/api/generate", next)).response, expected);
});

test("nothing to answer loads the model, as it is", async () => {
  for (const [path, key] of [
    ["/api/generate", "response"],
    ["/api/chat", "message"],
  ]) {
    const { done, done_reason, ...rest } = await ask(handler, path, { model: "small" });
    assert.equal([done, done_reason], [true, "load"]);
    assert.ok(key in rest);
  }
});

test("log probabilities", async () => {
  const options = { num_predict: 3, temperature: 0 };
  const body = { messages, stream: false, options, logprobs: true, top_logprobs: 2 };
  const { logprobs } = await ask(handler, "/api/chat", body);
  assert.is(logprobs.length, 3);
  assert.is(logprobs[0].top_logprobs.length, 2);
});

test("what is there", async () => {
  const { models } = await ask(handler, "/api/tags");
  assert.equal([models.length, models[0].name, models[0].details.family], [1, "small", "plm"]);
  assert.is((await ask(handler, "/api/ps")).models[0].context_length, 256);
  assert.match((await ask(handler, "/api/version")).version, /^\d+\.\d+\.\d+$/);
  const { model_info, template } = await ask(handler, "/api/show", { model: "small" });
  assert.is(model_info["plm.vocab_size"], 1024);
  assert.is(template, model.tokenizer.chatTemplate);
});

test("what does not fit is refused by name", async () => {
  const wrong: readonly [path: string, body: object, message: RegExp][] = [
    ["/api/chat", { messages: 3 }, /^messages: expected an array/],
    [
      "/api/chat",
      { messages: [{ role: "user", content: "a", images: ["x"] }] },
      /images: expected/,
    ],
    ["/api/chat", { messages, options: { num_ctx: 512 } }, /^options\.num_ctx: expected .* 256/],
    ["/api/chat", { messages, options: { tfs_z: 0.5 } }, /^options\.tfs_z: expected 1/],
    ["/api/chat", { messages, options: { temperature: "x" } }, /^options\.temperature: expected/],
    ["/api/chat", { messages, options: { foo: 1 } }, /^options\.foo: expected a field/],
    ["/api/chat", { messages, think: true }, /^think: expected false/],
    ["/api/chat", { messages, format: "xml" }, /^format: expected "json" or a JSON Schema/],
    ["/api/generate", { prompt: "a", template: "x" }, /^template: expected ""/],
    ["/api/generate", { prompt: "a", suffix: "x" }, /^suffix: expected ""/],
    ["/api/generate", { prompt: "a", raw: true, system: "x" }, /^system: expected/],
    ["/api/generate", { prompt: "a", context: [-1] }, /^context: expected token ids/],
    ["/api/generate", { prompt: 3 }, /^prompt: expected a string, got 3/],
  ];
  for (const [path, body, message] of wrong) {
    assert.match(await refused(400, path, body), message);
  }
  assert.match(await refused(404, "/api/chat", { model: "llama3", messages }), /^model: expected/);
  assert.match(await refused(404, "/api/pull", { model: "llama3" }), /^path: expected/);
  assert.match(await refused(405, "/api/chat"), /expected POST/);
  assert.match(await refused(400, "/api/chat", "{"), /^body: expected JSON/);
});

test("options about the machine are accepted", async () => {
  const options = { num_predict: 2, num_ctx: 256, num_gpu: 1, num_thread: 4, use_mmap: true };
  assert.is((await stream("/api/chat", { messages, options })).last.eval_count, 2);
});

test.run();
