import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ErrorCode } from "../../src/errors.js";
import type { ChatGenerateOptions } from "../../src/generation/chat.js";
import type { Generation } from "../../src/generation/generation.js";
import { loadModel } from "../../src/generation/load-model.js";
import type { Model } from "../../src/generation/model.js";
import { assertRejects, assertThrows, rejection } from "../model/support/engine.js";
import { EOS_TOKEN, SMALL_DIMS, tinyModel } from "../model/support/tiny.js";

const TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message.role }}:{{ message.content }}<|im_end|>" +
  "{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}";
const FILE = tinyModel({ type: "Q8_0" });
const CHAT_FILE = tinyModel({ type: "Q8_0", chatTemplate: TEMPLATE });
const MESSAGES = [{ role: "user", content: "Hi" }];
const REASON = new Error("enough");

/** Ten tokens, whatever the model would say of the end. */
const TEN = { maxTokens: 10, ignoreEos: true, temperature: 1, seed: 1 };

/** Fails unless all pages of the cache are free. */
function assertAllGivenBack(model: Model): void {
  assert.is(model.pagesInUse, 0);
}

async function read(generation: Generation): Promise<string> {
  let text = "";
  for await (const piece of generation) text += piece;
  return text;
}

test("a text goes on, and its result says how", async () => {
  const model = await loadModel(FILE);
  const generation = model.generate("Once", TEN);
  const text = await read(generation);
  const result = await generation.result();
  assert.is(result.text, text);
  assert.is(result.tokens.length, 10);
  assert.is(result.promptTokens, 4);
  assert.is(result.finishReason, "length");
  assert.is(model.tokenizer.decode(result.tokens), text);
  assertAllGivenBack(model);
});

test("greedy tokens are the best of a session's logits", async () => {
  const model = await loadModel(FILE);
  const { tokens } = await model.generate("Once", { ...TEN, temperature: 0 }).result();
  const session = model.createSession();
  let logits = await session.evaluate(model.tokenizer.encode("Once"));
  for (const token of tokens) {
    const best = logits.filter((_, id) => id !== EOS_TOKEN && id !== 258);
    assert.is(logits[token], Math.max(...best));
    logits = await session.evaluate([token]);
  }
});

test("token ids are prompts, too", async () => {
  const model = await loadModel(FILE);
  const ids = model.tokenizer.encode("Once");
  const expected = await model.generate("Once", TEN).text();
  assert.is(await model.generate(ids, TEN).text(), expected);
  assert.is(await model.generate(Uint32Array.from(ids), TEN).text(), expected);
});

test("same seed, same text; another seed, another", async () => {
  const model = await loadModel(FILE);
  const again = await loadModel(FILE);
  const text = await model.generate("Once", TEN).text();
  assert.is(await model.generate("Once", TEN).text(), text);
  assert.is(await again.generate("Once", TEN).text(), text);
  assert.is.not(await model.generate("Once", { ...TEN, seed: 2 }).text(), text);
});

test("special tokens in a text stay text; in ids they are tokens", async () => {
  const model = await loadModel(FILE);
  const plain = await model.generate("<|endoftext|>", { ...TEN, maxTokens: 0 }).result();
  assert.is(plain.promptTokens, "<|endoftext|>".length);
  const special = model.tokenizer.encode("<|endoftext|>", { special: true });
  assert.equal(special, [EOS_TOKEN]);
  assert.is((await model.generate(special, TEN).result()).promptTokens, 1);
});

test("a context that fills up ends the text", async () => {
  const model = await loadModel(FILE, { contextLength: 9 });
  const result = await model.generate("Once", { ...TEN, maxTokens: 100 }).result();
  assert.ok(result.tokens.length === 5 || result.tokens.length === 6, `${result.tokens.length}`);
  assertAllGivenBack(model);
});

test("leaving the loop gives the session back", async () => {
  const model = await loadModel(FILE);
  const generation = model.generate("Once", TEN);
  for await (const _ of generation) break;
  assert.is((await generation.result()).finishReason, "cancelled");
  assertAllGivenBack(model);
});

test("a loop that throws gives the session back", async () => {
  const model = await loadModel(FILE);
  const reading = (async () => {
    for await (const _ of model.generate("Once", TEN)) throw REASON;
  })();
  assert.is(await rejection(reading), REASON);
  assertAllGivenBack(model);
});

test("an unread generation takes no session", async () => {
  const model = await loadModel(FILE);
  model.generate("Once", TEN);
  assertAllGivenBack(model);
});

test("an abort before and during the text gives the session back", async () => {
  const model = await loadModel(FILE);
  const aborted = { ...TEN, signal: AbortSignal.abort(REASON) };
  assert.is(await rejection(model.generate("Once", aborted).text()), REASON);
  assertAllGivenBack(model);

  const controller = new AbortController();
  const generation = model.generate("Once", { ...TEN, signal: controller.signal });
  const reading = (async () => {
    for await (const _ of generation) controller.abort(REASON);
  })();
  assert.is(await rejection(reading), REASON);
  assert.is(await rejection(generation.result()), REASON);
  assertAllGivenBack(model);
});

test("an abort in a long prompt gives the session back", async () => {
  const model = await loadModel(FILE, { batchSize: 1 });
  const controller = new AbortController();
  setImmediate(() => controller.abort(REASON));
  const generation = model.generate("x".repeat(60), { ...TEN, signal: controller.signal });
  assert.is(await rejection(generation.text()), REASON);
  assertAllGivenBack(model);
});

test("failed calls leave the model usable", async () => {
  const model = await loadModel(FILE);
  const failing: [() => Promise<unknown>, ErrorCode][] = [
    [async () => model.generate("", TEN), "EMPTY_PROMPT"],
    [async () => model.generate([], TEN), "EMPTY_PROMPT"],
    [() => model.generate([SMALL_DIMS.vocabSize], TEN).text(), "INVALID_TOKEN"],
    [() => model.generate([-1], TEN).text(), "INVALID_TOKEN"],
    [() => model.generate("x".repeat(65), TEN).text(), "CONTEXT_FULL"],
    [async () => model.generate("Once", { ...TEN, maxTokens: -1 }), "INVALID_ARGUMENT"],
    [async () => model.generate(7 as unknown as string, TEN), "INVALID_ARGUMENT"],
    [async () => model.generate(undefined as unknown as string, TEN), "INVALID_ARGUMENT"],
  ];
  const expected = await model.generate("Once", TEN).text();
  for (const [call, code] of failing) {
    await assertRejects(call(), code);
    assertAllGivenBack(model);
    assert.is(await model.generate("Once", TEN).text(), expected);
  }
});

test("two texts at once, with two sessions, are what each is alone", async () => {
  const model = await loadModel(FILE);
  const options = [TEN, { ...TEN, seed: 2 }];
  const alone: string[] = [];
  for (const each of options) alone.push(await model.generate("Once", each).text());
  const together = options.map((each) => model.generate("Once", each).text());
  assert.equal(await Promise.all(together), alone);
  assertAllGivenBack(model);
});

test("a second text that the cache has no room for takes turns with the first", async () => {
  const model = await loadModel(FILE);
  const expected = await model.generate("Once", TEN).text();
  const second = await model.generate("Twice", TEN).text();
  const first = model.generate("Once", TEN);
  let text = "";
  for await (const piece of first) {
    text += piece;
    assert.is(await model.generate("Twice", TEN).text(), second);
  }
  assert.is(text, expected);
  assertAllGivenBack(model);
});

test("a chat is the rendered template, its special tokens parsed", async () => {
  const model = await loadModel(CHAT_FILE);
  const rendered = "<|im_start|>user:Hi<|im_end|><|im_start|>";
  const ids = model.tokenizer.encode(rendered, { special: true });
  assert.is(ids.length, 10);
  const expected = await model.generate(ids, TEN).result();
  const answer = await model.chat(MESSAGES, TEN).result();
  assert.equal(answer.tokens, expected.tokens);
  assert.is(answer.promptTokens, ids.length);
  assertAllGivenBack(model);
});

test("special tokens typed normal are parsed in a chat, end it, and are not shown", async () => {
  const [start, end] = [EOS_TOKEN + 1, EOS_TOKEN + 2];
  const file = tinyModel({ type: "Q8_0", chatTemplate: TEMPLATE }, ({ metadata }) => {
    const types = metadata.get("tokenizer.ggml.token_type")!;
    types.value = Int32Array.from(types.value as Int32Array, (type) => (type === 3 ? 1 : type));
  });
  const model = await loadModel(file);
  const likely = { maxTokens: 4, temperature: 0, logitBias: { [start]: 1000 } };
  const answer = await model.chat(MESSAGES, likely).result();
  assert.is(answer.promptTokens, 10);
  assert.equal([answer.text, answer.tokens], ["", [start, start, start, start]]);
  const shown = await model.chat(MESSAGES, { ...likely, special: true }).text();
  assert.is(shown, "<|im_start|>".repeat(4));
  const ended = await model.chat(MESSAGES, { ...likely, logitBias: { [end]: 1000 } }).result();
  assert.equal([ended.finishReason, ended.eosToken], ["eos", end]);
});

test("a given template goes before the file's", async () => {
  const chatTemplate = "{{ messages[0].content }}";
  for (const file of [FILE, CHAT_FILE]) {
    const model = await loadModel(file);
    const expected = await model.generate("Hi", TEN).text();
    assert.is(await model.chat(MESSAGES, { ...TEN, chatTemplate }).text(), expected);
  }
});

test("a template has the file's special tokens and the caller's variables", async () => {
  const chatTemplate =
    "{{ bos_token }}{{ messages[0].content + eos_token }}" +
    "{% for tool in tools or [] %}{{ tool.name }}{% endfor %}{{ mood }}{{ add_generation_prompt }}";
  const file = tinyModel({ type: "Q8_0", chatTemplate }, ({ metadata }) => {
    const key = "tokenizer.ggml.bos_token_id";
    metadata.set(key, { key, type: "uint32", value: 257 });
  });
  const model = await loadModel(file);
  const check = async (text: string, options: ChatGenerateOptions): Promise<void> => {
    const ids = model.tokenizer.encode(text, { special: true });
    const expected = await model.generate(ids, TEN).result();
    const answer = await model.chat(MESSAGES, { ...TEN, ...options }).result();
    assert.is(answer.promptTokens, ids.length, text);
    assert.is(answer.text, expected.text, text);
  };
  await check("<|im_start|>Hi<|endoftext|>True", {});
  const more = { chatTemplateKwargs: { mood: "good", tools: [{ name: "f" }] } };
  await check("<|im_start|>Hi<|endoftext|>fgoodFalse", { ...more, addGenerationPrompt: false });
  assertAllGivenBack(model);
});

test("content that is not text is refused before anything is evaluated", async () => {
  const model = await loadModel(CHAT_FILE);
  const parts = [{ type: "text", text: "Hi" } as const];
  const expected = await model.chat(MESSAGES, TEN).text();
  assert.is(await model.chat([{ role: "user", content: parts }], TEN).text(), expected);
  const image = [{ role: "user", content: [{ type: "image_url" }] as never }];
  const call = (): unknown => model.chat(image, TEN);
  assertThrows(call, "INVALID_ARGUMENT", "messages[0].content[0]", '"image_url"');
  assertAllGivenBack(model);
});

test("a chat without a template, or with a broken one", async () => {
  const model = await loadModel(FILE);
  assertThrows(() => model.chat(MESSAGES, TEN), "INVALID_ARGUMENT", "chat template");
  const chatTemplate = "{% for %}";
  const call = (): unknown => model.chat(MESSAGES, { ...TEN, chatTemplate });
  assertThrows(call, "INVALID_ARGUMENT", "chat template");
  assertAllGivenBack(model);
});

test("a model that is disposed of generates no more", async () => {
  const model = await loadModel(FILE);
  const reading = (async () => {
    for await (const _ of model.generate("Once", TEN)) model.dispose();
  })();
  await assertRejects(reading, "DISPOSED");
  await assertRejects(model.generate("Once", TEN).text(), "DISPOSED");
  assertThrows(() => model.createSession(), "DISPOSED");
});

test("config, plan and zero share are within reach", async () => {
  const model = await loadModel(FILE, { cacheType: "f16" });
  assert.is(model.config.hiddenSize, SMALL_DIMS.hiddenSize);
  assert.is(model.plan.options.cacheType, "f16");
  assert.ok(Number.isNaN(model.zeroShare));
  await model.generate("Once", TEN).text();
  assert.ok(model.zeroShare > 0 && model.zeroShare < 1);
});

test.run();
