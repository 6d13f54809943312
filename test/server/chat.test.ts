/** Chat completions. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ask, chunks, type Json, loadSmall, refusal, serve } from "./support/server.js";

const PATH = "/v1/chat/completions";
const messages = [{ role: "user", content: "Once upon a time" }];

const model = await loadSmall();
const handler = await serve(model, { modelName: "small" });
test.after(() => model.dispose());

const textsOf = (list: readonly Json[], index: number): string =>
  list
    .flatMap(({ choices }) => choices.filter((choice: Json) => choice.index === index))
    .map(({ delta }) => delta.content ?? "")
    .join("");

test("an answer is the library's, whole and in pieces", async () => {
  const options = { maxTokens: 12, seed: 7 };
  const expected = await model.chat(messages, options).result();
  const body = { model: "small", messages, max_tokens: 12, seed: 7 };
  const { id, created, choices, usage, timings, ...rest } = await ask(handler, PATH, body);
  assert.match(id, /^chatcmpl-[a-z0-9]{24}$/);
  assert.ok(Math.abs(created - Date.now() / 1000) < 60);
  assert.equal(rest, { object: "chat.completion", model: "small", system_fingerprint: null });
  assert.equal(choices, [
    {
      index: 0,
      message: { role: "assistant", content: expected.text, refusal: null },
      logprobs: null,
      finish_reason: "length",
    },
  ]);
  const { promptTokens } = expected;
  assert.equal(usage, {
    prompt_tokens: promptTokens,
    completion_tokens: 12,
    total_tokens: promptTokens + 12,
    prompt_tokens_details: { cached_tokens: 0 },
  });
  assert.equal([timings.prompt_n, timings.cache_n, timings.predicted_n], [promptTokens, 0, 12]);
  assert.ok(timings.prompt_ms > 0 && timings.predicted_per_second > 0);

  const list = await chunks(handler, PATH, { ...body, stream_options: { include_usage: true } });
  assert.is(new Set(list.map((chunk) => chunk.id)).size, 1);
  assert.is(list[0].object, "chat.completion.chunk");
  assert.equal(list[0].choices[0].delta, { role: "assistant", content: "", refusal: null });
  assert.is(textsOf(list, 0), expected.text);
  assert.is(list.at(-2).choices[0].finish_reason, "length");
  assert.equal([list.at(-1).choices, list.at(-1).usage], [[], usage]);
  assert.ok(list.slice(0, -1).every((chunk) => chunk.usage === null));
});

test("max_completion_tokens, and both names of no limit", async () => {
  const most = await ask(handler, PATH, { messages, max_completion_tokens: 3, max_tokens: 9 });
  assert.is(most.usage.completion_tokens, 3);
  const all = await ask(handler, PATH, { messages, max_tokens: -1, ignore_eos: true });
  const { contextLength } = model.plan.options;
  assert.is(all.usage.total_tokens, contextLength + 1);
  assert.is(all.choices[0].finish_reason, "length");
});

test("many answers to one request come without a warning of the runtime", async () => {
  const warnings: unknown[] = [];
  const take = (warning: unknown): unknown => warnings.push(warning);
  process.on("warning", take);
  const { choices } = await ask(handler, PATH, { messages, max_tokens: 2, n: 32 });
  assert.is(choices.length, 32);
  await new Promise((resolve) => setTimeout(resolve));
  process.off("warning", take);
  assert.equal(warnings, []);
});

test("several answers have seeds of their own, and one prompt", async () => {
  const body = { messages, max_tokens: 8, seed: 3, n: 3 };
  const seeds = [3, 4, 5].map((seed) => model.chat(messages, { maxTokens: 8, seed }).text());
  const expected = await Promise.all(seeds);
  const { choices, usage } = await ask(handler, PATH, body);
  assert.equal(
    choices.map((choice: Json) => choice.message.content),
    expected,
  );
  assert.is(usage.completion_tokens, 24);
  assert.is(
    usage.prompt_tokens,
    (await model.chat(messages, { maxTokens: 0 }).result()).promptTokens,
  );
  const list = await chunks(handler, PATH, body);
  assert.equal(
    [0, 1, 2].map((index) => textsOf(list, index)),
    expected,
  );
});

test("log probabilities, whole and in pieces", async () => {
  const expected = await model.chat(messages, { maxTokens: 6, seed: 1, logprobs: 2 }).result();
  const body = { messages, max_tokens: 6, seed: 1, logprobs: true, top_logprobs: 2 };
  const { choices } = await ask(handler, PATH, body);
  const { content } = choices[0].logprobs;
  const { tokenizer } = model;
  assert.equal(
    content,
    expected.logprobs!.map(({ token, logprob, top }) => ({
      ...{ token: tokenizer.decode([token]), logprob, bytes: [...tokenizer.tokenBytes(token)] },
      top_logprobs: top.map((each) => ({
        token: tokenizer.decode([each.token]),
        logprob: each.logprob,
        bytes: [...tokenizer.tokenBytes(each.token)],
      })),
    })),
  );
  const list = await chunks(handler, PATH, body);
  const pieces = list.flatMap((chunk) => chunk.choices[0].logprobs?.content ?? []);
  assert.equal(pieces, content);
  const without = await ask(handler, PATH, { ...body, top_logprobs: undefined });
  assert.equal(without.choices[0].logprobs.content[0].top_logprobs, []);
});

test("a stop string ends the text, and its tokens have no log probabilities", async () => {
  const { text } = await model.chat(messages, { maxTokens: 30, seed: 1 }).result();
  const stop = text.slice(12, 18);
  const body = { messages, max_tokens: 30, seed: 1, logprobs: true, stop: [stop, "never"] };
  const { choices } = await ask(handler, PATH, body);
  assert.is(choices[0].message.content, text.slice(0, text.indexOf(stop)));
  assert.is(choices[0].finish_reason, "stop");
  const shown = choices[0].logprobs.content.map(({ token }: Json) => token).join("");
  assert.ok(shown.startsWith(choices[0].message.content));
  assert.ok(shown.length < choices[0].message.content.length + 12);
});

test("logit_bias: -100 bans a token, and a bias counts", async () => {
  const { tokens } = await model.chat(messages, { maxTokens: 1, temperature: 0 }).result();
  const body = { messages, max_tokens: 1, temperature: 0, logprobs: true };
  for (const logit_bias of [{ [tokens[0]]: -100 }, [[tokens[0], false]]]) {
    const { choices } = await ask(handler, PATH, { ...body, logit_bias });
    assert.is.not(choices[0].message.content, model.tokenizer.decode(tokens));
  }
  const { choices } = await ask(handler, PATH, { ...body, logit_bias: { 65: 100 } });
  assert.is(choices[0].message.content, model.tokenizer.decode([65]));
});

test("roles and parts of messages", async () => {
  const parts = [{ role: "user", content: [{ type: "text", text: "Once upon a time" }] }];
  const body = { max_tokens: 4, temperature: 0 };
  const [a, b] = await Promise.all([
    ask(handler, PATH, { ...body, messages }),
    ask(handler, PATH, { ...body, messages: parts }),
  ]);
  assert.equal(a.choices, b.choices);
  const developer = [{ role: "developer", content: "Hi" }, ...messages];
  const { prompt } = await ask(handler, "/apply-template", { messages: developer });
  assert.is(prompt, "Hi\n\nOnce upon a time\n\n");
});

test("what does not fit is refused by name", async () => {
  const wrong: readonly [body: object, param: string | null, message: RegExp][] = [
    [{ messages: undefined }, "messages", /^messages: expected an array of at least one/],
    [{ messages: [] }, "messages", /^messages: expected an array/],
    [{ messages: [{ role: "user" }] }, "messages", /^messages\[0\]\.content: expected/],
    [{ messages: [{ content: "a" }] }, "messages", /^messages\[0\]\.role: expected a string/],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] },
      ...(["messages", /^messages\[0\]\.content\[0\]: expected .* got type "image_url"/] as const),
    ],
    [{ temperature: "hot" }, "temperature", /^temperature: expected a finite number >= 0/],
    [{ top_p: 2 }, "top_p", /^top_p: expected/],
    [{ top_k: 1.5 }, "top_k", /^top_k: expected/],
    [{ typ_p: 2 }, "typ_p", /^typ_p: expected/],
    [{ max_tokens: "many" }, "max_tokens", /^max_tokens: expected/],
    [{ n: 0 }, "n", /^n: expected an integer from 1 to 128, got 0/],
    [{ n: 100 }, "n", /^n: expected at most 80 answers/],
    [{ stop: [""] }, "stop", /^stop: expected/],
    [{ seed: -2 }, "seed", /^seed: expected/],
    [{ logprobs: 3 }, "logprobs", /^logprobs: expected a boolean, got 3/],
    [{ top_logprobs: 3 }, "top_logprobs", /^top_logprobs: expected logprobs: true/],
    [{ logprobs: true, top_logprobs: 21 }, "top_logprobs", /from 0 to 20, got 21/],
    [{ logit_bias: { 1024: 1 } }, "logit_bias", /^logit_bias: expected a token id in \[0, 1024\)/],
    [{ logit_bias: { 3: 101 } }, "logit_bias", /^logit_bias: expected/],
    [{ stream: "yes" }, "stream", /^stream: expected a boolean/],
    [{ stream_options: { x: 1 } }, "stream_options.x", /^stream_options\.x: expected a field/],
    [{ functions: [] }, "functions", /^functions: expected a field that is known/],
    [{ audio: {} }, "audio", /^audio: expected a field/],
    [{ modalities: ["audio"] }, "modalities", /^modalities: expected \["text"\]/],
    [{ best_of: 2 }, "best_of", /^best_of: expected 1, got 2/],
    [{ samplers: ["top_k", "dry"] }, "samplers", /^samplers: expected penalties and dry first/],
    [{ samplers: ["dry", "penalties"] }, "samplers", /^samplers: expected penalties and dry/],
    [{ samplers: ["top_a"] }, "samplers", /^samplers: expected/],
    [{ tools: {} }, "tools", /^tools: expected an array/],
    [{ tools: [{ type: "function" }] }, "tools", /^tools\[0\]: expected a tool/],
    [{ tool_choice: "required" }, "tool_choice", /^tool_choice: expected/],
    [{ response_format: { type: "xml" } }, "response_format.type", /^response_format\.type/],
    [{ response_format: { type: "json_schema" } }, "response_format.schema", /JSON Schema/],
    [{ grammar: "x", json_schema: {} }, "grammar", /^grammar: expected no form .* json_schema/],
  ];
  for (const [fields, param, message] of wrong) {
    for (const stream of [false, true]) {
      const error = await refusal(handler, 400, PATH, { messages, stream, ...fields });
      assert.match(error.message, message);
      assert.is(error.param, param, JSON.stringify(fields));
      assert.is(error.type, "invalid_request_error");
    }
  }
  const { message } = await refusal(handler, 400, PATH, { messages, top_p: 2, min_p: 3 });
  assert.match(message, /^top_p: expected .*; min_p: expected/);
});

test("a prompt that is longer than the context is refused", async () => {
  const long = [{ role: "user", content: "a ".repeat(500) }];
  const { code, message } = await refusal(handler, 400, PATH, { messages: long });
  assert.is(code, "context_length_exceeded");
  assert.match(message, /^messages: expected at most 256 tokens \(the context\), got \d+$/);
});

test("another model is not found", async () => {
  const { code, param, type } = await refusal(handler, 404, PATH, { model: "gpt-4o", messages });
  assert.equal([code, param, type], ["model_not_found", "model", "not_found_error"]);
});

test("fields that change nothing are accepted", async () => {
  const harmless = {
    ...{ user: "u", metadata: { a: "b" }, store: true, service_tier: "auto", n: null },
    ...{ parallel_tool_calls: true, cache_prompt: true, id_slot: -1, modalities: ["text"] },
    ...{ prompt_cache_key: "k", safety_identifier: "s", tools: [], tool_choice: "auto" },
    ...{ response_format: { type: "text" }, audio: null, best_of: 1 },
  };
  const body = { messages, max_tokens: 5, temperature: 0 };
  const [a, b] = [
    await ask(handler, PATH, body),
    await ask(handler, PATH, { ...body, ...harmless }),
  ];
  assert.equal(a.choices, b.choices);
});

test.run();
