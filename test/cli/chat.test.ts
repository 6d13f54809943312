import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Conversation } from "../../src/cli/conversation.js";
import { loadModel, type Session } from "../../src/index.js";
import { finish, folder, model, plm, plmWith, start, writeRandomModel } from "./plm.js";

// Exact: conversations evaluate in other pieces than the library does in one.
const library = await loadModel(model, { sessions: 2, precision: "exact" });
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
  const conversation = new Conversation({ session, tokenizer, system: "Be kind." });
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

test("an answer that is stopped is kept as far as it went, and the next one is right", async () => {
  const session = library.createSession();
  const conversation = new Conversation({ session, tokenizer });
  const controller = new AbortController();
  const options = { maxTokens: 100, seed: 2, ignoreEos: true };
  let said = "";
  for await (const piece of conversation.ask("Hi", { ...options, signal: controller.signal })) {
    said += piece;
    if (said.length > 10) controller.abort();
  }
  assert.equal(conversation.messages[1], { role: "assistant", content: said });
  const messages = [...conversation.messages, { role: "user", content: "Go on" }];
  const expected = await library.chat(messages, { ...options, maxTokens: 5 }).text();
  assert.is(await joined(conversation.ask("Go on", { ...options, maxTokens: 5 })), expected);
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

test("lines in, answers out", async () => {
  const flags = ["chat", "-m", model, "--precision", "exact", "-n", "6", "--seed", "7"];
  flags.push("--system", "Tell.");
  const { code, stdout, stderr } = await plmWith("Hi\n\n/reset\nHi\n/exit\nmore\n", ...flags);
  assert.is(stderr, "");
  assert.is(code, 0);
  const messages = [
    { role: "system", content: "Tell." },
    { role: "user", content: "Hi" },
  ];
  const answer = await library.chat(messages, { maxTokens: 6, seed: 7 }).text();
  assert.is(stdout, `${answer}\n${answer}\n`);
});

test("Ctrl-C stops the answer, not the conversation", async () => {
  const path = writeRandomModel("endless.gguf", { context: 65536 });
  const child = start("chat", "-m", path, "-n", "Infinity", "--ignore-eos");
  const ended = finish(child);
  child.stdin.write("Hi\n");
  await once(child.stdout, "data");
  child.kill("SIGINT");
  child.stdin.end("/exit\n");
  const { code, stdout } = await ended;
  assert.is(code, 0);
  assert.match(stdout, /\S.*\n$/s);
});

test("a conversation that cannot be held is told in one line", async () => {
  const { code, stderr } = await plmWith(`${"x".repeat(99)}\n`, "chat", "-m", model, "-c", "20");
  assert.is(code, 1);
  assert.match(stderr, /^plm: evaluate: expected at most 20 more tokens.*\n$/);
  writeFileSync(join(folder, "empty.gguf"), "");
  assert.match((await plm("chat", "-m", "empty.gguf")).stderr, /^plm: empty\.gguf: .*\n$/);
});

test.run();
