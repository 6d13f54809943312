/** --session: texts and conversations that go on in another process. */
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type ChatMessage, type GenerationResult, loadModel } from "../../src/index.js";
import {
  assertFails,
  finish,
  folder,
  json,
  model,
  plm,
  plmWith,
  start,
  writeRandomModel,
} from "./support/plm.js";

const library = await loadModel(model);
const GREEDY = ["-m", model, "--temp", "0", "--ignore-eos"];
const GENERATE = ["generate", ...GREEDY];
const CHAT = ["chat", ...GREEDY, "-n", "6"];

const at = (name: string): string => join(folder, name);

/** The tokens of a session file. */
async function tokensOf(name: string): Promise<number[]> {
  const session = await library.restoreSession(at(name));
  const tokens = Array.from(session.tokens);
  session.dispose();
  return tokens;
}

/** The messages of a session file. */
async function messagesOf(name: string): Promise<readonly ChatMessage[]> {
  const conversation = await library.restoreConversation(at(name));
  conversation.dispose();
  return conversation.messages;
}

/** Fails unless the run is refused in a line that matches, with the file as it was. */
async function assertKept(name: string, line: RegExp, ...args: string[]): Promise<void> {
  const before = readFileSync(at(name));
  await assertFails(line, ...args, "--session", name);
  assert.equal(readFileSync(at(name)), before);
}

test("a text goes on where it stopped, token for token", async () => {
  const prompt = ["-p", "Once upon a time"];
  const whole = await json<GenerationResult>(...GENERATE, ...prompt, "-n", "15");
  const session = ["--session", "text.plm"];
  const first = await json<GenerationResult>(...GENERATE, ...prompt, "-n", "6", ...session);
  const second = await json<GenerationResult>(...GENERATE, "-n", "4", ...session);
  const third = await json<GenerationResult>(...GENERATE, "-p", "", "-n", "5", ...session);
  assert.equal([...first.tokens, ...second.tokens, ...third.tokens], whole.tokens);
  assert.equal(Object.keys(first), Object.keys(whole));
  // Everything is held, the last token as well, and nothing twice.
  const begin = library.tokenizer.encode("Once upon a time", { addBos: true });
  assert.equal(await tokensOf("text.plm"), [...begin, ...whole.tokens]);
});

test("a prompt follows the text of the session, and an end token is not kept", async () => {
  const session = ["--session", "prompts.plm", "--json"];
  await plm(...GENERATE, "-p", "One", "-n", "3", ...session);
  const held = await tokensOf("prompts.plm");
  const [end] = library.tokenizer.eosTokenIds;
  const flags = ["-m", model, "--logit-bias", `${end}=1000`, "-n", "3", ...session];
  const { stdout } = await plmWith("Two", "generate", ...flags);
  const { tokens, promptTokens, finishReason } = JSON.parse(stdout) as GenerationResult;
  const two = library.tokenizer.encode("Two");
  assert.equal([tokens, promptTokens, finishReason], [[], two.length, "eos"]);
  assert.equal(await tokensOf("prompts.plm"), [...held, ...two]);
});

test("a session takes what the context has room for, and no more", async () => {
  const session = ["--session", "full.plm", "-c", "20"];
  const { tokens, finishReason } = await json<GenerationResult>(
    ...[...GENERATE, "-p", "Hi", "-n", "Infinity", ...session],
  );
  assert.is(finishReason, "length");
  const held = await tokensOf("full.plm");
  assert.equal([held.length, held.slice(-tokens.length)], [20, tokens]);
  const full = /^plm: --session: expected at most 20 tokens \(the context\), got 21\n$/;
  await assertKept("full.plm", full, ...GENERATE, "-c", "20");
  const room = /^plm: --prompt: .* most 2 tokens \(context 22, in the session 20\), got \d+\n$/;
  await assertKept("full.plm", room, ...GENERATE, "-p", "Hi, all of you", "-c", "22");
  const small = /^plm: --session: full\.plm: session: expected at most 19 tokens .*, got 20\n$/;
  await assertKept("full.plm", small, ...GENERATE, "-c", "19");
});

test("a conversation goes on where it stopped", async () => {
  const whole = await plmWith("Hi\nAnd then?\n", ...CHAT, "--system", "Tell.");
  const session = ["--session", "chat.plm", "--system", "Tell."];
  const first = await plmWith("Hi\n", ...CHAT, ...session);
  const second = await plmWith("And then?\n", ...CHAT, ...session);
  assert.equal([first.stderr, second.stderr], ["", ""]);
  assert.is(first.stdout + second.stdout, whole.stdout);
  const roles = (await messagesOf("chat.plm")).map(({ role }) => role);
  assert.equal(roles, ["system", "user", "assistant", "user", "assistant"]);
  const other = /^plm: --system: expected "Tell\.", as in the session, got "Sing\."\n$/;
  await assertKept("chat.plm", other, ...CHAT, "--system", "Sing.");
  // Without --system it is the file's; the file follows when the conversation starts anew.
  await plmWith("/reset\n", ...CHAT, "--session", "chat.plm");
  assert.equal(await messagesOf("chat.plm"), [{ role: "system", content: "Tell." }]);
  assert.equal(
    readdirSync(folder).filter((name) => name.includes("unfinished")),
    [],
  );
});

test("Ctrl-C keeps what was said", async () => {
  const flags = ["-n", "Infinity", "--ignore-eos", "--session", "stopped.plm"];
  const path = writeRandomModel("endless.gguf", { context: 65536 });
  const child = start("chat", "-m", path, ...flags);
  const ended = finish(child);
  child.stdin.write("Hi\n");
  await once(child.stdout, "data");
  child.kill("SIGINT");
  child.stdin.end("/exit\n");
  const { code, stdout } = await ended;
  assert.is(code, 0);
  const endless = await loadModel(path);
  const { messages } = await endless.restoreConversation(at("stopped.plm"));
  assert.equal(messages, [
    { role: "user", content: "Hi" },
    { role: "assistant", content: stdout.slice(0, -1) },
  ]);
});

test("Ctrl-C keeps the text that was generated", async () => {
  const path = writeRandomModel("long.gguf", { context: 65536 });
  const flags = ["-m", path, "-n", "Infinity", "--ignore-eos", "--session", "cut.plm"];
  const child = start("generate", "-p", "Once upon a time", ...flags);
  const ended = finish(child);
  await once(child.stdout, "data");
  child.kill("SIGINT");
  const { code, stdout, stderr } = await ended;
  assert.equal([code, stderr], [130, ""]);
  const long = await loadModel(path);
  const { tokens } = await long.restoreSession(at("cut.plm"));
  const begin = long.tokenizer.encode("Once upon a time", { addBos: true });
  assert.equal(Array.from(tokens).slice(0, begin.length), begin);
  const text = long.tokenizer.decode(Array.from(tokens).slice(begin.length));
  assert.ok(text.startsWith(stdout.slice(0, -1)), JSON.stringify([text, stdout]));
});

test("what is no session, or another kind or model's, is refused and left as it was", async () => {
  await plm(...GENERATE, "-p", "Hi", "-n", "70", "--session", "kind.plm");
  await plmWith("Hi\n", ...CHAT, "--session", "talk.plm");
  const text = /^plm: --session: kind\.plm: expected a conversation, got a session without.*\n$/;
  await assertKept("kind.plm", text, ...CHAT);
  const talk = /^plm: --session: talk\.plm: expected a session of plm generate, got a conv.*\n$/;
  await assertKept("talk.plm", talk, ...GENERATE);
  const other = writeRandomModel("other.gguf", { seed: 9 });
  const model = / session: expected one of model "\w+", got "\w+"\n$/;
  await assertKept("kind.plm", model, "generate", "-m", other);
  await assertKept("talk.plm", model, "chat", "-m", other);
  await assertKept("talk.plm", / one of cache type "f32", got "i16"\n$/, ...CHAT, "--cache", "f32");

  const whole = readFileSync(at("kind.plm"));
  const damaged = whole.slice();
  damaged[whole.length - 9] ^= 1;
  for (const [bytes, message] of [
    [whole.subarray(0, -1), `expected ${whole.length} bytes, got ${whole.length - 1}`],
    [whole.subarray(0, 5), "PLMSESSN"],
    [new Uint8Array(0), "PLMSESSN"],
    [damaged, "page 1 of layer 1"],
  ] as const) {
    writeFileSync(at("bad.plm"), bytes);
    const line = new RegExp(`^plm: --session: bad\\.plm: session: .*${message}.*\\n$`);
    await assertKept("bad.plm", line, ...GENERATE);
  }
});

test("a place that cannot be read or written is refused before the model is loaded", async () => {
  mkdirSync(at("folder.plm"));
  for (const [path, message] of [
    ["", 'expected a file, got ""'],
    ["folder.plm", "folder\\.plm: expected a file, got what is no regular file"],
    ["nowhere/x.plm", "nowhere/x\\.plm could not be written: ENOENT.*"],
    ["chat.plm/x.plm", "chat\\.plm/x\\.plm: expected a readable file, got ENOTDIR.*"],
  ]) {
    const line = new RegExp(`^plm: --session: ${message}\\n$`);
    for (const command of [CHAT, [...GENERATE, "-p", "Hi"]]) {
      await assertFails(line, ...command, "--session", path, "-m", "missing.gguf");
    }
  }
});

test("a file that cannot be written any more ends the conversation in one line", async () => {
  const child = start(...CHAT, "--session", "lost.plm");
  const ended = finish(child);
  child.stdin.write("Hi\n");
  while (!existsSync(at("lost.plm"))) await setTimeout(10);
  rmSync(at("lost.plm"));
  mkdirSync(at("lost.plm"));
  child.stdin.end("More\n");
  const { code, stderr } = await ended;
  assert.is(code, 1);
  assert.is(
    stderr,
    "plm: --session: expected a new file, got lost.plm, which is no regular file\n",
  );
});

test("a link stays one", async () => {
  writeFileSync(at("target.plm"), readFileSync(at("text.plm")));
  symlinkSync(at("target.plm"), at("link.plm"));
  const before = await tokensOf("target.plm");
  const { tokens } = await json<GenerationResult>(
    ...[...GENERATE, "-n", "2", "--session", "link.plm"],
  );
  assert.ok(lstatSync(at("link.plm")).isSymbolicLink());
  assert.equal(await tokensOf("target.plm"), [...before, ...tokens]);
});

test.run();
