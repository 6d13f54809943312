import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import {
  assertFails,
  finish,
  folder,
  model,
  plm,
  plmWith,
  start,
  writeRandomModel,
} from "./support/plm.js";

// Exact: conversations evaluate in smaller pieces than one call does.
const library = await loadModel(model, { precision: "exact" });

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

const FLAGS = ["chat", "-m", model, "--precision", "exact", "-n", "6", "--ignore-eos"];

test("penalties look back on the whole conversation", async () => {
  const penalty = ["--repeat-penalty", "1.8", "--repeat-last-n", "1000", "--temp", "0"];
  const { stdout } = await plmWith("Hi\nHi\nHi\n", ...FLAGS, ...penalty);
  const sampling = { repetitionPenalty: 1.8, repetitionWindow: 1000, temperature: 0 };
  const messages: { role: string; content: string }[] = [];
  let expected = "";
  for (let turn = 0; turn < 3; turn++) {
    messages.push({ role: "user", content: "Hi" });
    const chat = library.chat(messages, { ...sampling, maxTokens: 6, ignoreEos: true });
    const content = await chat.text();
    messages.push({ role: "assistant", content });
    expected += `${content}\n`;
  }
  assert.is(stdout, expected);
});

test("a line that ends in a backslash goes on in the next one", async () => {
  const flags = ["chat", "-m", model, "--precision", "exact", "-n", "6", "--seed", "7"];
  const { stdout } = await plmWith("One\\\r\ntwo\\\n\n/reset\n/a/path\\", ...flags);
  const answers = ["One\ntwo\n", "/a/path"].map((content) =>
    library.chat([{ role: "user", content }], { maxTokens: 6, seed: 7 }).text(),
  );
  assert.is(stdout, (await Promise.all(answers)).map((answer) => `${answer}\n`).join(""));
});

test("commands work in a pipe as on a terminal", async () => {
  const flags = [...FLAGS, "--seed", "7", "--system", "Tell."];
  const lines = "/system\n/stats\nHi\n/retry\n/save saved.plm\n/save saved.plm\n/stats\n/help\n";
  const { code, stdout, stderr } = await plmWith(lines, ...flags);
  assert.equal([code, stderr], [0, ""]);
  const messages = [
    { role: "system", content: "Tell." },
    { role: "user", content: "Hi" },
  ];
  const options = { maxTokens: 6, ignoreEos: true };
  const first = await library.chat(messages, { ...options, seed: 7 }).text();
  const again = await library.chat(messages, { ...options, seed: 8 }).text();
  const { promptTokens } = await library.chat(messages, options).result();
  const saved = await library.restoreConversation(join(folder, "saved.plm"));
  assert.equal(saved.messages, [...messages, { role: "assistant", content: again }]);
  assert.is(saved.length, promptTokens + 5);
  const before = `Tell.\ncontext  0 of 1024 tokens\n${first}\n${again}\n`;
  assert.is(stdout.slice(0, before.length), before);
  // All but the question's last token is there from the first answer.
  const cached = `${promptTokens - 1} of ${promptTokens} cached`;
  const stats = `context   ${promptTokens + 5} of 1024 tokens\nquestion  ${cached}, `;
  assert.is(stdout.slice(before.length, before.length + stats.length), stats);
  assert.match(stdout, /answer {4}6 tokens, [\d.]+ tokens\/s, ended by length, seed 8\n\/reset /);
  saved.dispose();
});

test("a command that is not known, or cannot be obeyed, ends a pipe in one line", async () => {
  for (const [line, message] of [
    ["/rest", "expected /reset, /retry, .*, got /rest"],
    ["/reset now", '/reset: expected nothing behind it, got "now"'],
    ["/save", "/save: expected FILE, got nothing"],
    ["/save nowhere/x", "/save: nowhere/x could not be written: .*"],
    ["/save model.gguf", "/save: model.gguf: .*"],
    ["/save saved.plm", "/save: expected a new file, got saved.plm, which exists"],
    ["/retry", "/retry: expected a question before it, got none"],
  ]) {
    const { code, stdout, stderr } = await plmWith(`${line}\nHi\n`, ...FLAGS);
    assert.equal([code, stdout], [1, ""]);
    assert.match(stderr, new RegExp(`^plm: ${message}\\n$`));
  }
});

test("special tokens that the model writes are shown on demand", async () => {
  const [start] = library.tokenizer.encode("<|im_start|>", { special: true });
  const bias = ["--logit-bias", `${start}=1000`];
  const [hidden, shown] = await Promise.all([
    plmWith("Hi\n", ...FLAGS, ...bias),
    plmWith("Hi\n", ...FLAGS, ...bias, "--special"),
  ]);
  assert.is(hidden.stdout, "\n");
  assert.is(shown.stdout, `${"<|im_start|>".repeat(6)}\n`);
});

test("template variables are a JSON object", async () => {
  const flags = ["chat", "-m", model, "--precision", "exact", "-n", "6", "--seed", "7"];
  const variables = { add_generation_prompt: false };
  flags.push("--chat-template-kwargs", JSON.stringify(variables));
  const { stdout, stderr } = await plmWith("Hi\n", ...flags);
  assert.is(stderr, "");
  const options = { maxTokens: 6, seed: 7, addGenerationPrompt: false };
  const answer = await library.chat([{ role: "user", content: "Hi" }], options).text();
  assert.is(stdout, `${answer}\n`);
  const expected = /^plm: --chat-template-kwargs: expected a JSON object such as .*, got .*\n$/;
  for (const text of ["{", "[]", "null", "1", ""]) {
    await assertFails(expected, "chat", "-m", model, "--chat-template-kwargs", text);
  }
  const named =
    /^plm: --chat-template-kwargs: expected no variable of the name messages, got one\n$/;
  await assertFails(named, "chat", "-m", model, "--chat-template-kwargs", '{"messages":1}');
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

test("other signals leave", async () => {
  for (const [signal, expected] of [["SIGTERM", 143] as const, ["SIGHUP", 129] as const]) {
    const child = start("chat", "-m", model, "-n", "1");
    const ended = finish(child);
    child.stdin.write("Hi\n");
    await once(child.stdout, "data");
    child.kill(signal);
    assert.is((await ended).code, expected);
  }
});

test("lines end at line feeds alone, and are UTF-8", async () => {
  const flags = ["chat", "-m", model, "--precision", "exact", "-n", "3", "--seed", "7"];
  const content = "One\u2028two\u2029three\u0085four";
  const { stdout } = await plmWith(`${content}\r\n/reset\n${content}`, ...flags);
  const messages = [{ role: "user", content }];
  const answer = await library.chat(messages, { maxTokens: 3, seed: 7 }).text();
  assert.is(stdout, `${answer}\n${answer}\n`);

  const child = start(...flags);
  const ended = finish(child);
  child.stdin.end(Uint8Array.of(72, 105, 0xff, 10));
  const { code, stderr } = await ended;
  assert.is(code, 1);
  assert.is(stderr, "plm: standard input: expected UTF-8, got bytes that are not\n");
});

test("a conversation that cannot start is reported in one line", async () => {
  const { code, stderr } = await plmWith(`${"x".repeat(99)}\n`, "chat", "-m", model, "-c", "20");
  assert.is(code, 1);
  assert.match(
    stderr,
    /^plm: chat: expected messages of at most 20 tokens .*; \/reset starts anew.*\n$/,
  );
  writeFileSync(join(folder, "empty.gguf"), "");
  assert.match((await plm("chat", "-m", "empty.gguf")).stderr, /^plm: empty\.gguf: .*\n$/);
});

test.run();
