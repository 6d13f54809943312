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
} from "./plm.js";

// Exact: conversations evaluate in other pieces than the library does in one.
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
  assert.match(
    stderr,
    /^plm: chat: expected messages of at most 20 tokens .*; \/reset starts anew.*\n$/,
  );
  writeFileSync(join(folder, "empty.gguf"), "");
  assert.match((await plm("chat", "-m", "empty.gguf")).stderr, /^plm: empty\.gguf: .*\n$/);
});

test.run();
