/** Conversations: the model's own answers, with nothing evaluated twice. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Conversation } from "../../src/generation/conversation.js";
import { applyChatTemplate, loadModel, type Session } from "../../src/index.js";
import { model } from "../cli/support/plm.js";
import { assertRejects, assertThrows } from "../model/support/engine.js";
import { SMALL_DIMS, tinyModel } from "../model/support/tiny.js";
import { small } from "../tokenizer/support/small.js";
import { countingModel } from "./support/markov.js";

// Exact: conversations evaluate in smaller pieces than one call does.
const library = await loadModel(model, { precision: "exact" });
const { tokenizer } = library;

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

/** A session that counts the tokens it is given. */
function counted(session: Session): { session: Session; evaluated: () => number } {
  let count = 0;
  const evaluate = session.evaluate.bind(session);
  session.evaluate = (tokens, options) => {
    count += tokens.length;
    return evaluate(tokens, options);
  };
  return { session, evaluated: () => count };
}

test("answers are the model's own, and every turn evaluates only what is new", async () => {
  const { session, evaluated } = counted(library.createSession());
  const conversation = new Conversation({ session, tokenizer }, { system: "Be kind." });
  const options = { maxTokens: 6, seed: 2, ignoreEos: true };
  for (const content of ["Hi", "And then?", "The end?"]) {
    const before = evaluated();
    const held = session.length;
    const expected = library.chat([...conversation.messages, { role: "user", content }], options);
    const answer = await joined(conversation.ask(content, options));
    const { promptTokens, text } = await expected.result();
    assert.is(answer, text);
    // The prompt's new part, and every token of the answer but the last.
    assert.ok(evaluated() - before <= promptTokens - Math.max(held - 8, 0) + 5);
  }
  assert.equal(
    conversation.messages.map(({ role }) => role),
    ["system", "user", "assistant", "user", "assistant", "user", "assistant"],
  );
  conversation.reset();
  assert.equal(conversation.messages, [{ role: "system", content: "Be kind." }]);
  session.dispose();
});

test("thirty turns: the work of a turn does not grow with them", async () => {
  const model = await loadModel(tinyModel({ dims: { ...SMALL_DIMS, contextLength: 2000 } }));
  const { numHiddenLayers, intermediateSize } = model.config;
  const template = { chatTemplate: "{% for m in messages %}<{{ m.content }}>{% endfor %}" };
  const conversation = model.createConversation({ system: "Be kind.", ...template });
  const rows: number[] = [];
  // Mostly one letter: few tokens that the tokenizer reads differently in the next prompt.
  const logitBias = new Map([[65, 100]]);
  for (let turn = 0; turn < 30; turn++) {
    const before = model.sparsity.activations;
    const answer = conversation.ask("And then?", { maxTokens: 20, logitBias, ignoreEos: true });
    assert.is((await answer.result()).tokens.length, 20);
    const activations = model.sparsity.activations - before;
    rows.push(activations / (numHiddenLayers * intermediateSize));
  }
  assert.ok(
    rows.every((count) => count < 60),
    rows.join(),
  );
  assert.ok(conversation.messages.length === 61);
  conversation.dispose();
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test("a stopped answer is kept so far, and the next one is right", async () => {
  const session = library.createSession();
  const conversation = new Conversation({ session, tokenizer });
  const controller = new AbortController();
  const options = { maxTokens: 100, seed: 2, ignoreEos: true };
  let said = "";
  const stopped = conversation.ask("Hi", { ...options, signal: controller.signal });
  try {
    for await (const piece of stopped) {
      said += piece;
      if (said.length > 10) controller.abort();
    }
    assert.unreachable();
  } catch (error) {
    assert.is(error, controller.signal.reason);
  }
  assert.is(await stopped.result().catch((error) => error), controller.signal.reason);
  assert.equal(conversation.messages[1], { role: "assistant", content: said });
  const messages = [...conversation.messages, { role: "user", content: "Go on" }];
  const expected = await library.chat(messages, { ...options, maxTokens: 5 }).text();
  const next = conversation.ask("Go on", { ...options, maxTokens: 5 });
  assert.is(await next.text(), expected);
  const { promptTokens } = next.soFar();
  const rendered = applyChatTemplate(tokenizer, messages);
  const prompt = tokenizer.encode(rendered, { special: true, addBos: true });
  assert.is(conversation.reusedTokens + promptTokens, prompt.length);
  assert.ok(conversation.reusedTokens > 10);
  // All but the last of what was generated.
  assert.is(conversation.length, prompt.length + 4);
  session.dispose();
});

test("a question that does not fit is not kept", async () => {
  const small = await loadModel(model, { contextLength: 120 });
  const conversation = new Conversation({ session: small.createSession(), tokenizer });
  try {
    await joined(conversation.ask("x".repeat(200)));
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: string }).code, "CONTEXT_FULL");
  }
  assert.equal(conversation.messages, []);
  assert.ok((await joined(conversation.ask("Hi", { maxTokens: 3, seed: 1 }))).length > 0);
});

test("an answer left by its reader is kept so far", async () => {
  const session = library.createSession();
  const conversation = new Conversation({ session, tokenizer });
  const options = { maxTokens: 30, seed: 2, ignoreEos: true };
  let said = "";
  for await (const piece of conversation.ask("Hi", options)) {
    said += piece;
    if (said.length > 10) break;
  }
  assert.equal(conversation.messages.at(-1), { role: "assistant", content: said });
  const messages = [...conversation.messages, { role: "user", content: "Go on" }];
  const expected = await library.chat(messages, { ...options, maxTokens: 5 }).text();
  assert.is(await joined(conversation.ask("Go on", { ...options, maxTokens: 5 })), expected);
  session.dispose();
});

test("one answer at a time, and no error is lost in an abort", async () => {
  const session = library.createSession();
  const conversation = new Conversation({ session, tokenizer });
  const options = { maxTokens: 30, seed: 2, ignoreEos: true };
  const answer = conversation.ask("Hi", options);
  const pieces = answer[Symbol.asyncIterator]();
  await pieces.next();
  await assertRejects(joined(conversation.ask("And?", options)), "SESSION_BUSY");
  assertThrows(() => conversation.reset(), "SESSION_BUSY");
  await answer.cancel();
  assert.is(conversation.messages.length, 2);
  const aborted = { ...options, signal: AbortSignal.abort(new Error("enough")) };
  await assertRejects(joined(conversation.ask("x".repeat(9999), aborted)), "CONTEXT_FULL");
  assert.is(conversation.messages.length, 2);
  const ended = await conversation
    .ask("Go on", aborted)
    .text()
    .catch((error: Error) => error);
  assert.is(ended, aborted.signal.reason);
  assert.equal(conversation.messages[3], { role: "assistant", content: "" });
  const controller = new AbortController();
  const disposed = conversation.ask("More", { ...options, signal: controller.signal });
  const iterator = disposed[Symbol.asyncIterator]();
  await iterator.next();
  controller.abort();
  conversation.dispose();
  assert.is(await iterator.next().catch((error: Error) => error), controller.signal.reason);
  assert.is(conversation.messages.length, 6);
});

test("an answer is a generation: a text, a result, an end", async () => {
  const conversation = library.createConversation();
  const options = { maxTokens: 5, seed: 2, ignoreEos: true };
  const messages = [{ role: "user", content: "Hi" }];
  const expected = await library.chat(messages, options).result();
  const first = conversation.ask("Hi", options);
  const { timings, ...result } = await first.result();
  const { timings: _, ...wanted } = expected;
  assert.equal(result, wanted);
  assert.equal([await first.text(), first.seed], [expected.text, 2]);
  assertThrows(() => first[Symbol.asyncIterator](), "INVALID_ARGUMENT", "one reader");
  // Only what is new is evaluated.
  const { promptTokens } = await conversation.ask("And?", options).result();
  const all = await library.chat(conversation.messages.slice(0, 3), options).result();
  assert.ok(promptTokens < all.promptTokens - expected.promptTokens + 8);
  conversation.dispose();
});

test("an unread answer leaves the conversation free", async () => {
  const conversation = library.createConversation();
  const options = { maxTokens: 5, seed: 2, ignoreEos: true };
  conversation.ask("Never read", options);
  const cancelled = conversation.ask("Cancelled", options);
  await cancelled.cancel();
  assert.is((await cancelled.result()).finishReason, "cancelled");
  assert.equal(conversation.messages, []);
  // An answer belongs to the conversation as it is when it is read.
  const [first, second] = ["One", "Two"].map((content) => conversation.ask(content, options));
  await first.text();
  const messages = [...conversation.messages, { role: "user", content: "Two" }];
  assert.is(await second.text(), await library.chat(messages, options).text());
  assert.is(conversation.messages.length, 4);
  conversation.reset();
  conversation.dispose();
});

test("an answer that fails before it begins is not kept, whatever the options", async () => {
  const conversation = library.createConversation();
  const failing = {
    get signal(): never {
      throw new RangeError("no signal");
    },
  };
  assertThrows(() => conversation.ask("Hi", null as never), "INVALID_ARGUMENT", "options");
  assertThrows(() => conversation.ask("Hi", { topK: -1 }), "INVALID_ARGUMENT", "topK");
  assert.throws(() => conversation.ask("Hi", failing), "no signal");
  assert.equal(conversation.messages, []);
  assert.ok((await joined(conversation.ask("Hi", { maxTokens: 3, seed: 1 }))).length > 0);
  conversation.dispose();
  const kwargs = { chatTemplateKwargs: { messages: [] } };
  for (const options of [null as never, kwargs]) {
    assertThrows(() => library.createConversation(options), "INVALID_ARGUMENT");
    // No session was taken.
    library.createConversation().dispose();
  }
  assertThrows(() => library.generate([0], null as never), "INVALID_ARGUMENT", "options");
});

test("a question's parts are kept as they were when it was asked", async () => {
  const conversation = library.createConversation();
  const part = { type: "text", text: "Hi", cached: true } as const;
  const parts = [{ ...part }];
  await joined(conversation.ask(parts, { maxTokens: 2 }));
  Object.assign(parts[0], { text: "changed" });
  parts.length = 0;
  assert.equal(conversation.messages[0], { role: "user", content: [part] });
  conversation.dispose();
});

test("template variables hold for a whole conversation", async () => {
  const chatTemplate = "{% for m in messages %}{{ m.content }}{{ mood }}{% endfor %}";
  const template = { chatTemplate, chatTemplateKwargs: { mood: "!" }, documents: [{ title: "f" }] };
  const conversation = library.createConversation(template);
  const options = { maxTokens: 4, seed: 1, ignoreEos: true };
  for (const content of ["Hi", [{ type: "text", text: "And?" } as const]]) {
    const messages = [...conversation.messages, { role: "user", content }];
    const expected = await library.chat(messages, { ...options, ...template }).text();
    assert.is(await joined(conversation.ask(content, options)), expected);
  }
  const wrong = { text: "x" } as never;
  assertThrows(() => conversation.ask(wrong, options), "INVALID_ARGUMENT", "messages[4].content");
  assert.is(conversation.messages.length, 4);
  conversation.dispose();
});

test("a model makes conversations, and gets their sessions back", async () => {
  const conversation = library.createConversation({ system: "Be kind." });
  const template = "{% for message in messages %}{{ message.content }};{% endfor %}";
  const other = library.createConversation({ chatTemplate: template });
  const options = { maxTokens: 4, seed: 1, ignoreEos: true };
  const messages = [{ role: "user", content: "Hi" }];
  const answer = await joined(other.ask("Hi", options));
  other.dispose();
  assert.is(answer, await library.chat(messages, { ...options, chatTemplate: template }).text());
  assert.equal(conversation.messages, [{ role: "system", content: "Be kind." }]);
  conversation.dispose();
  assert.is(library.pagesInUse, 0);
  const plain = await loadModel(tinyModel({ type: "Q8_0" }));
  assertThrows(() => plain.createConversation(), "INVALID_ARGUMENT", "the file has none");
  plain.createSession().dispose();
});

test("an answer longer than a stack has room for", async () => {
  const session = countingModel(small.vocabSize, 1 << 20);
  const parts = { session: session as unknown as Session, tokenizer: small };
  const conversation = new Conversation(parts, { chatTemplate: "{{ messages[-1].content }}" });
  const options = { maxTokens: 150_000, temperature: 0, ignoreEos: true };
  const answer = await joined(conversation.ask("Hi", options));
  assert.ok(answer.length > 100_000);
  assert.is(conversation.messages[1].content, answer);
});

test.run();
