/** What `plm generate` and `plm chat` show on a terminal, a real one of util-linux's `script`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { folder, json, model, output, plmWith } from "./support/plm.js";
import { ENV, lineOf, onTerminal, scriptOf, Terminal } from "./support/terminal.js";

const PROMPT = "Once upon a time";
const GENERATE = ["generate", "-m", model, "-p", PROMPT, "-n", "6", "--seed", "4"];

/** What a terminal is sent; its line ends as `\n`. */
function shown(args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { stdout } = spawnSync("script", scriptOf(lineOf(args)), {
    cwd: folder,
    env: { ...ENV, ...env },
    input: "",
    encoding: "utf8",
    timeout: 60_000,
  });
  return stdout.replaceAll("\r\n", "\n");
}

onTerminal("the continuation follows its prompt, which is dim", async () => {
  const continuation = await output(...GENERATE);
  const seen = shown(GENERATE);
  assert.ok(seen.includes(`\u001b[2m${PROMPT}\u001b[22m${continuation}`), JSON.stringify(seen));
});

onTerminal("without colours where they are not wanted or not known", async () => {
  const continuation = await output(...GENERATE);
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    const seen = shown(GENERATE, env);
    assert.ok(seen.includes(`${PROMPT}${continuation}`), JSON.stringify(seen));
    assert.not(seen.includes("\u001b[2m"), JSON.stringify(seen));
  }
});

onTerminal("--json is the same everywhere", async () => {
  const { text } = await json<{ text: string }>(...GENERATE);
  const seen = shown([...GENERATE, "--json"]);
  assert.is((JSON.parse(seen.slice(seen.indexOf("{"))) as { text: string }).text, text);
});

onTerminal("an error after the prompt has a line of its own", () => {
  // The context has no room for a token of the continuation's.
  const bias = Array.from({ length: 640 }, (_, id) => `--logit-bias=${id}=-inf`);
  const seen = shown([...GENERATE, ...bias], { NO_COLOR: "1" });
  assert.match(seen, /Once upon a time\nplm: logits: .*all are banned.*\n$/);
});

onTerminal(
  "a session goes on without a text, and says how far a conversation has come",
  async () => {
    const session = ["--session", "terminal-text.plm"];
    await output(...GENERATE, ...session);
    const { length } = readFileSync(join(folder, "terminal-text.plm"));
    shown(["generate", "-m", model, "-n", "6", ...session]);
    assert.ok(readFileSync(join(folder, "terminal-text.plm")).length > length);
    const chat = ["chat", "-m", model, "-n", "3", "--session", "terminal-talk.plm"];
    await plmWith("Hi\n", ...chat);
    const terminal = new Terminal(lineOf(chat));
    await terminal.until(/> /);
    terminal.type("/exit\n");
    await terminal.ended();
    assert.match(terminal.seen, "plm: the conversation goes on after 2 messages\n");
  },
);

test("elsewhere there is the continuation alone", async () => {
  assert.not((await output(...GENERATE)).includes(PROMPT));
});

test.run();
