/** `plm completion`: real shells complete command lines with the script. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES } from "../../src/cache/rows.js";
import { createProgram } from "../../src/cli/program.js";

import { assertFails, folder, output } from "./support/plm.js";
import { KEYS, onTerminal, Terminal } from "./support/terminal.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

const place = join(folder, "completion");
mkdirSync(join(place, "models"), { recursive: true });
writeFileSync(join(place, "my model.gguf"), "");
for (const shell of SHELLS) {
  writeFileSync(join(place, shell), await output("completion", shell));
}

/** A test in a shell, skipped where that is not installed. */
function inShell(shell: string, runs = test as typeof onTerminal): typeof onTerminal {
  if (spawnSync(shell, ["-c", "exit 3"]).status === 3) return runs;
  console.log(`skipped: no ${shell}`);
  return test.skip;
}

/** Runs a script, and returns the lines that it prints. */
function linesOf(shell: string, ...args: string[]): string[] {
  const env = { PATH: process.env.PATH, HOME: place, TERM: "dumb" };
  const run = spawnSync(shell, args, { cwd: place, env, encoding: "utf8", timeout: 60_000 });
  assert.equal([run.stderr, run.status], ["", 0]);
  return run.stdout.split("\n").filter((line) => line !== "");
}

/** What bash offers for the last of the words. */
function bashOffers(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ");
  const call = `COMP_WORDS=(plm ${list}); COMP_CWORD=${words.length}; _plm`;
  const script = `source ./bash; ${call}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf("bash", "--norc", "-c", script);
}

/** What fish offers for a line. */
function fishOffers(line: string): string[] {
  const lines = linesOf("fish", "--no-config", "-c", `source ./fish; complete -C '${line}'`);
  return lines.map((each) => each.split("\t")[0]);
}

const commands = createProgram().commands;
const names = commands.map((command) => command.name());
const flagsOf = (name: string): string[] =>
  commands
    .find((command) => command.name() === name)!
    .options.filter(({ hidden }) => !hidden)
    .map(({ long }) => long!);

inShell("bash")("bash offers commands, options, choices and files", () => {
  assert.equal(bashOffers(""), names);
  assert.equal(bashOffers("gen"), ["generate"]);
  for (const flag of flagsOf("bench")) assert.ok(bashOffers("bench", "--").includes(flag), flag);
  assert.equal(bashOffers("bench", "--cac"), ["--cache"]);
  assert.equal(bashOffers("chat", "--cache", ""), CACHE_TYPES);
  assert.equal(bashOffers("chat", "--cache", "=", "f"), ["f32", "f16"]);
  assert.equal(bashOffers("chat", "--cache", "="), CACHE_TYPES);
  assert.equal(bashOffers("generate", "-m", "my"), ["my model.gguf"]);
  assert.equal(bashOffers("generate", "--prompt", "my"), []);
  assert.equal(bashOffers("quantize", "--type", "q8_0", "my"), ["my model.gguf"]);
  assert.equal(bashOffers("train", "x", "-o", "m"), ["models"]);
  assert.equal(bashOffers("help", "ch"), ["chat"]);
  assert.equal(bashOffers("completion", ""), [...SHELLS]);
  assert.equal(bashOffers("completion", "bash", ""), []);
});

inShell("fish")("fish offers commands, options, choices and files", () => {
  assert.equal(fishOffers("plm gen"), ["generate"]);
  for (const flag of flagsOf("bench")) assert.ok(fishOffers("plm bench --").includes(flag), flag);
  assert.equal(fishOffers("plm chat --cache q"), ["q8_0"]);
  assert.equal(fishOffers("plm generate -m my"), ["my model.gguf"]);
  assert.equal(fishOffers("plm generate --prompt my"), []);
  assert.equal(fishOffers("plm quantize my"), ["my model.gguf"]);
  assert.equal(fishOffers("plm train -o m"), ["models/"]);
  assert.equal(fishOffers("plm completion z"), ["zsh"]);
});

/** Types a line with tab keys to a shell on a terminal; returns the words that it runs. */
async function complete(shell: string, setUp: string, keys: string): Promise<string[]> {
  const terminal = new Terminal(`cd '${place}' && exec ${shell}`, { HOME: place });
  const show = "plm() { printf '<%s>' \"$@\"; }";
  terminal.type(`PS1='ready> '; ${setUp}; ${show}; echo $((40 + 2))${KEYS.enter}`);
  await terminal.until(/42\n.*ready> /s);
  terminal.type(keys + KEYS.enter);
  const seen = await terminal.until(/<.*>/);
  terminal.type(`exit${KEYS.enter}`);
  await terminal.ended();
  return Array.from(seen.matchAll(/<(.+?)>/g), ([, word]) => word);
}

onTerminal("bash completes a line on a terminal", async () => {
  const keys = "plm gen\t--cach\tq\t-m my\t";
  const words = await complete("bash --norc --noprofile -i", "source ./bash", keys);
  assert.equal(words, ["generate", "--cache", "q8_0", "-m", "my model.gguf"]);
});

inShell("zsh", onTerminal)("zsh completes a line on a terminal", async () => {
  const setUp = "autoload -Uz compinit; compinit -u -D; source ./zsh";
  const words = await complete("zsh -f -i", setUp, "plm gen\t--cach\tq\t-m my\t");
  assert.equal(words, ["generate", "--cache=q8_0", "-m", "my model.gguf"]);
  const folder = await complete("zsh -f -i", setUp, "plm train my\t-o mod\t");
  assert.equal(folder, ["train", "my model.gguf", "-o", "models"]);
});

test("another shell is refused", async () => {
  await assertFails(
    /'tcsh' is invalid for argument 'shell'.*bash, zsh, fish/,
    "completion",
    "tcsh",
  );
});

test.run();
