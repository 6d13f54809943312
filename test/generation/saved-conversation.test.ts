/** Conversations that are forked, saved and restored: they go on as if they never stopped. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type LoadOptions, loadModel, type Model } from "../../src/index.js";
import { model as file } from "../cli/support/plm.js";
import { assertRejects, assertThrows, rejection } from "../model/support/engine.js";

const OPTIONS = { maxTokens: 6, seed: 2, ignoreEos: true };

/** A model, to be used and looked at afterwards: no test leaves pages that are held. */
async function withModel(
  use: (model: Model) => Promise<void>,
  options: LoadOptions = {},
): Promise<void> {
  const model = await loadModel(file, options);
  await use(model);
  assert.is(model.pagesInUse, 0);
  model.dispose();
}

test("a restored conversation goes on like the one that was not saved", async () => {
  await withModel(async (model) => {
    const conversation = model.createConversation({ system: "Be kind." });
    await conversation.ask("Hi", OPTIONS).text();
    const bytes = await conversation.save();
    const messages = structuredClone(conversation.messages);
    const expected = await conversation.ask("And then?", OPTIONS).result();
    conversation.dispose();
    const other = async (model: Model): Promise<void> => {
      const restored = await model.restoreConversation(bytes);
      assert.equal(restored.messages, messages);
      const result = await restored.ask("And then?", OPTIONS).result();
      // Among them promptTokens: only what is new was evaluated.
      assert.equal({ ...result, timings: 0 }, { ...expected, timings: 0 });
      restored.reset();
      assert.equal(restored.messages, [{ role: "system", content: "Be kind." }]);
      restored.dispose();
    };
    await other(model);
    await withModel(other, { threads: 2 });
  });
});

test("a stream is the same bytes, and the template's options are given anew", async () => {
  await withModel(async (model) => {
    const template = { chatTemplate: "{% for m in messages %}{{ m.content }};{% endfor %}" };
    const conversation = model.createConversation(template);
    await conversation.ask([{ type: "text", text: "Hi" }], OPTIONS).text();
    const bytes = await conversation.save();
    const chunks: number[] = [];
    for await (const chunk of conversation.saveStream()) chunks.push(...chunk);
    assert.equal(Uint8Array.from(chunks), bytes);
    const stream = conversation.saveStream();
    const restored = await model.restoreConversation(stream, template);
    assert.equal(restored.messages, conversation.messages);
    const answers = [conversation, restored].map((each) => each.ask("And?", OPTIONS));
    assert.is(await answers[0].text(), await answers[1].text());
    conversation.dispose();
    restored.dispose();
  });
});

test("a fork has the same past and a future of its own", async () => {
  const use = async (model: Model): Promise<void> => {
    const conversation = model.createConversation({ system: "Be kind." });
    await conversation.ask("Hi", OPTIONS).text();
    const fork = conversation.fork();
    assert.equal(fork.messages, conversation.messages);
    for (const [each, content] of [[conversation, "One"] as const, [fork, "Two"] as const]) {
      const messages = [...each.messages, { role: "user", content }];
      const expected = await model.chat(messages, OPTIONS).text();
      assert.is(await each.ask(content, OPTIONS).text(), expected);
    }
    assert.is(conversation.messages.length, 5);
    conversation.dispose();
    fork.reset();
    assert.equal(fork.messages, [{ role: "system", content: "Be kind." }]);
    fork.dispose();
    assertThrows(() => fork.fork(), "DISPOSED");
    await assertRejects(fork.save(), "DISPOSED");
    assertThrows(() => fork.saveStream(), "DISPOSED");
  };
  // Exact: conversations evaluate in other pieces than `chat` does in one.
  await withModel(use, { precision: "exact" });
});

test("nothing is saved or forked while an answer is read", async () => {
  await withModel(async (model) => {
    const conversation = model.createConversation();
    const answer = conversation.ask("Hi", OPTIONS);
    const pieces = answer[Symbol.asyncIterator]();
    await pieces.next();
    await assertRejects(conversation.save(), "SESSION_BUSY");
    assertThrows(() => conversation.saveStream(), "SESSION_BUSY");
    assertThrows(() => conversation.fork(), "SESSION_BUSY");
    await answer.cancel();
    const aborted = conversation.save({ signal: AbortSignal.abort("enough") });
    assert.is(await rejection(aborted), "enough");
    const restored = await model.restoreConversation(await conversation.save());
    assert.equal(restored.messages, conversation.messages);
    conversation.dispose();
    restored.dispose();
  });
});

test("what was forgotten is not saved, and what stays is not evaluated again", async () => {
  await withModel(async (model) => {
    const system = "Be kind, be brief, and tell of animals.";
    const conversation = model.createConversation({ system });
    const first = await conversation.ask("Tell me a secret", OPTIONS).result();
    conversation.reset();
    const session = await model.restoreSession(await conversation.save());
    const kept = model.tokenizer.decode(Array.from(session.tokens), { special: true });
    assert.match(kept, system);
    assert.not.match(kept, "secret");
    const { promptTokens } = await conversation.ask("Tell me a secret", OPTIONS).result();
    assert.is(promptTokens, first.promptTokens - session.length);
    session.dispose();
    conversation.dispose();
  });
});

test("a file without messages or with others is refused, and nothing is taken", async () => {
  await withModel(async (model) => {
    const session = model.createSession();
    await session.evaluate([1, 2, 3]);
    const bytes = await session.save();
    await assertRejects(
      model.restoreConversation(bytes),
      "UNSUPPORTED_FILE",
      "expected a conversation, got a session without messages",
    );
    for (const [messages, expected] of [
      ["", "messages: expected JSON"],
      ["[", "messages: expected JSON"],
      ["null", "messages: expected an array, got null"],
      ['{"role":"user"}', "messages: expected an array"],
      ["[1]", "messages[0]: expected an object"],
      ['[{"role":1,"content":""}]', "messages[0].role: expected a string"],
      ['[{"role":"user","content":"Hi"},{"role":"user"}]', "messages[1].content: expected"],
    ]) {
      const saved = await session.startSave(messages).bytes(undefined);
      await assertRejects(model.restoreConversation(saved), "INVALID_FILE", `session: ${expected}`);
    }
    session.dispose();
    assert.is(model.pagesInUse, 0);
    const cut = bytes.slice(0, -1);
    await assertRejects(model.restoreConversation(cut), "INVALID_FILE");
    const kwargs = { chatTemplateKwargs: { messages: [] } };
    await assertRejects(model.restoreConversation(bytes, kwargs), "INVALID_ARGUMENT");
    await assertRejects(model.restoreConversation(bytes, null as never), "INVALID_ARGUMENT");
  });
});

test("messages that cannot be saved are refused", async () => {
  await withModel(async (model) => {
    const conversation = model.createConversation();
    conversation.messages.push({ role: "user", content: "Hi", id: 1n });
    await assertRejects(conversation.save(), "INVALID_ARGUMENT", "messages: expected what JSON");
    conversation.messages[0] = { role: "user", content: "x".repeat((4 << 20) + 1) };
    await assertRejects(conversation.save(), "INVALID_ARGUMENT", "messages: expected at most");
    assertThrows(() => conversation.saveStream(), "INVALID_ARGUMENT");
    conversation.messages[0] = { role: "user" };
    await assertRejects(conversation.save(), "INVALID_ARGUMENT", "messages[0].content");
    conversation.dispose();
  });
});

test.run();
