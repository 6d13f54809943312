/** One vocabulary over all commands: the same flag has one meaning, one form and one text. */
import type { Command, Option } from "commander";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createProgram } from "../../src/cli/program.js";
import { json, model, output } from "./support/plm.js";

/** Commands with commands of their own, and those. */
function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

const commands = createProgram().commands.flatMap(allCommands);
const all: readonly Option[] = commands.flatMap(({ options }) => options);

/** Short names that mean a text in one command and a count of the same tokens in `plm bench`. */
const COUNTS: Readonly<Record<string, string>> = {
  "--prefill": "--prompt",
  "--decode": "--max-tokens",
};

test("a short flag stands for one long flag", () => {
  const longs = new Map<string, string>();
  for (const { short, long } of all) {
    if (short?.length !== 2) continue;
    const meant = COUNTS[long!] ?? long!;
    assert.is(longs.get(short) ?? meant, meant, short);
    longs.set(short, meant);
  }
  assert.is(longs.get("-m"), "--model");
  assert.is(longs.get("-p"), "--prompt");
});

/** Of a value's name: files and folders are both places. */
function formOf({ flags }: Option): string {
  return flags.replace(/<(?:file|folder)>/, "<place>");
}

test("a long flag has one form, and one text", () => {
  const known = new Map<string, Option>();
  for (const option of all) {
    const before = known.get(option.long!) ?? option;
    known.set(option.long!, before);
    assert.is(formOf(option), formOf(before));
    if (option.flags !== before.flags) continue;
    const text = ({ description }: Option): string => description.replace(/: \{.*\}$/, "");
    assert.is(text(option), text(before), option.flags);
  }
});

test("a default is shown once", async () => {
  for (const command of commands) {
    const help = command.helpInformation();
    for (const [line] of help.matchAll(/^ {2}-.*(?:\n {4,}.*)*/gm)) {
      assert.ok(line.split("(default:").length <= 2, line);
    }
  }
  const help = await output("help", "generate");
  assert.match(help, /--cache <type> .*: i16, f32, f16, q8_0\s+\(default:\s+i16\)/);
  assert.match(help, /--threads <n> .*\(default:\s+what is\s+fastest/);
});

test("--ctx is --context wherever that is", async () => {
  for (const { options } of commands) {
    const names = options.map(({ long }) => long);
    assert.is(names.includes("--ctx"), names.includes("--context"));
  }
  const short = await json<{ memory: { options: object } }>("inspect", "-m", model, "--ctx", "99");
  const long = await json<{ memory: { options: object } }>("inspect", "-m", model, "-c", "99");
  assert.equal(short.memory.options, long.memory.options);
});

test.run();
