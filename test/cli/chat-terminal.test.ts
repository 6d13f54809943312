/** `plm chat` on a terminal: history, several lines, pastes, commands, Ctrl-C, colours. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type ChatMessage, loadModel } from "../../src/index.js";
import { folder, model, plmWith, writeRandomModel } from "./support/plm.js";
import { KEYS, lineOf, onTerminal, STATE, Terminal } from "./support/terminal.js";

const CHAT = ["chat", "-m", model, "--precision", "exact", "-n", "3", "--ignore-eos"];
const ESCAPE = "\u001b";
const HISTORY = join(STATE, "plm-wasm", "chat-history");

const library = await loadModel(model);

/** The messages of a session file, in short. */
async function messagesOf(name: string, from = library): Promise<readonly ChatMessage[]> {
  const conversation = await from.restoreConversation(join(folder, name));
  conversation.dispose();
  return conversation.messages;
}

/** What users said in a session file. */
async function questionsOf(name: string): Promise<unknown[]> {
  const messages = await messagesOf(name);
  return messages.filter(({ role }) => role === "user").map(({ content }) => content);
}

/** A chat that has asked for its first message. */
async function startChat(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Terminal> {
  const terminal = new Terminal(lineOf([...CHAT, ...args]), env);
  await terminal.until(/> /);
  return terminal;
}

/** A line that begins with the prompt, after whatever moves the cursor and sets colours. */
const PROMPTED = new RegExp(`\\n(?:${ESCAPE}\\[\\d*[A-Za-z])*> `);

/** Types a message, and waits for the next prompt. */
async function say(terminal: Terminal, message: string): Promise<string> {
  terminal.type(message + KEYS.enter);
  return terminal.until(PROMPTED);
}

onTerminal("the up key brings back what was typed, also in other runs", async () => {
  const first = await startChat(["--session", "first.plm"]);
  assert.not(existsSync(HISTORY), "created only when used");
  await say(first, "How are you?");
  await say(first, "And your brother?");
  await say(first, KEYS.up + KEYS.up);
  first.type(KEYS.ctrlD);
  assert.is(await first.ended(), 0);
  assert.equal(await questionsOf("first.plm"), [
    "How are you?",
    "And your brother?",
    "How are you?",
  ]);

  const second = await startChat(["--session", "second.plm"]);
  await say(second, KEYS.up + KEYS.up);
  await say(second, "/exit").catch(() => {});
  assert.is(await second.ended(), 0);
  assert.equal(await questionsOf("second.plm"), ["And your brother?"]);
  assert.is(statSync(HISTORY).mode & 0o777, 0o600);
  const kept = readFileSync(HISTORY, "utf8").trimEnd().split("\n");
  assert.is(JSON.parse(kept.at(-1)!), "/exit");

  const apart = await startChat(["--no-history", "--session", "apart.plm"]);
  await say(apart, `${KEYS.up}Hello`);
  apart.type(KEYS.ctrlD);
  await apart.ended();
  assert.equal(await questionsOf("apart.plm"), ["Hello"]);
});

onTerminal("lines that end in a backslash, and pasted lines, are one message", async () => {
  const terminal = await startChat(["--session", "lines.plm"]);
  terminal.type(`One\\${KEYS.enter}`);
  await terminal.until(/\.\.\. /);
  await say(terminal, "two");
  const paste = (text: string): string => `${ESCAPE}[200~${text}${ESCAPE}[201~`;
  // The cursor is before the comma.
  const pasted = `a${paste("b\r\tc\\\re\u2028f\r")}, g`;
  await say(terminal, pasted);
  // In pieces, as slow lines send them.
  for (const piece of [ESCAPE, "[200", "~x\r", `y${ESCAPE}[2`, "01~"]) {
    terminal.type(piece);
    await new Promise((done) => setTimeout(done, 30));
  }
  await say(terminal, "");
  terminal.type(KEYS.ctrlD);
  assert.is(await terminal.ended(), 0);
  const questions = await questionsOf("lines.plm");
  assert.equal(questions, ["One\ntwo", "ab\n\tc\\\ne\u2028f, g", "x\ny"]);
});

onTerminal("Ctrl-C stops an answer, clears a line, and leaves at an empty one", async () => {
  const path = writeRandomModel("endless.gguf", { context: 65536 });
  const endless = await loadModel(path);
  const flags = ["-m", path, "-n", "Infinity", "--session", "halted.plm"];
  const terminal = await startChat(flags, { NO_COLOR: "1" });
  terminal.type(`Hi${KEYS.enter}`);
  await terminal.until(/Hi\n.{20}/s);
  // What is typed during an answer waits, but not across Ctrl-C.
  terminal.type("lost");
  terminal.type(`${KEYS.ctrlC}/stats${KEYS.enter}`);
  await terminal.until(/\ncontext +\d+ of 65536 tokens\nquestion .*\nanswer .*cancelled/);
  const [, answer] = await messagesOf("halted.plm", endless);
  assert.ok(terminal.seen.includes(`Hi\n${answer.content}\n`), "what was said is kept");
  await terminal.until(/cancelled.*\n.*> /);
  terminal.type(`/exit${KEYS.ctrlC}`);
  terminal.type(KEYS.ctrlC);
  assert.is(await terminal.ended(), 0);
  assert.not.match(terminal.seen, /lost/);
});

onTerminal("/retry answers again with another seed, /system and /reset begin anew", async () => {
  const terminal = await startChat(["--seed", "7", "-n", "12", "--session", "again.plm"]);
  await say(terminal, "/system Be brief.");
  await say(terminal, "Hi");
  const [, , first] = await messagesOf("again.plm");
  await say(terminal, "/retry");
  const messages = await messagesOf("again.plm");
  const [, , second] = messages;
  assert.is(messages.length, 3);
  assert.is.not(first.content, second.content);
  const asked = messages.slice(0, 2);
  assert.equal(asked, [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hi" },
  ]);
  assert.match(await say(terminal, "/system"), /Be brief\./);
  await say(terminal, "/reset");
  assert.equal(await messagesOf("again.plm"), asked.slice(0, 1));
  assert.match(await say(terminal, "/retry"), /\/retry: expected a question before it, got none/);
  assert.match(await say(terminal, "/rest"), /expected \/reset, .*, got \/rest\n/);
  terminal.type(`/sy${KEYS.tab}`);
  await terminal.until(/\/system/);
  await say(terminal, " Other.");
  assert.equal(await messagesOf("again.plm"), [{ role: "system", content: "Other." }]);
  terminal.type(KEYS.ctrlD);
  assert.is(await terminal.ended(), 0);
});

onTerminal("colours on a terminal, and none with NO_COLOR or TERM=dumb", async () => {
  const coloured = await startChat([]);
  await say(coloured, "/nothing");
  coloured.type(KEYS.ctrlD);
  await coloured.ended();
  assert.match(coloured.seen, `${ESCAPE}[36m> ${ESCAPE}[39m`);
  assert.match(coloured.seen, `${ESCAPE}[31mplm:${ESCAPE}[39m expected /reset`);
  assert.match(coloured.seen, `${ESCAPE}[2mplm: /help lists`);
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }, { FORCE_COLOR: "0" }]) {
    const plain = await startChat([], env);
    await say(plain, "/nothing");
    plain.type(KEYS.ctrlD);
    await plain.ended();
    assert.match(plain.seen, "plm: expected /reset");
    assert.not.match(plain.seen, new RegExp(`${ESCAPE}\\[\\d*m`));
  }
});

test("in a pipe there are neither colours nor prompts", async () => {
  const { stdout, stderr } = await plmWith("/help\n/nothing\n", ...CHAT);
  assert.match(stdout, /^\/reset +begin/);
  assert.match(stderr, /^plm: expected \/reset, .*, got \/nothing\n$/);
  assert.not.match(stdout + stderr, ESCAPE);
});

test.run();
