import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createProgram } from "../../src/cli/program.js";
import { madeUpText, smallConfig } from "../training/small-run.js";
import { assertFails, folder, output } from "./plm.js";

test("help tells every command, and --version the package's", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const [none, help, told] = await Promise.all([output(), output("--help"), output("--version")]);
  assert.is(none, help);
  assert.is(told, `${version}\n`);
  const names = createProgram().commands.map((command) => command.name());
  for (const name of names) assert.match(help, new RegExp(`^ {2}${name} .*[a-z]{4}`, "m"));
  for (const name of ["generate", "chat", "logits", "tokenize", "detokenize", "bench"]) {
    assert.ok(names.includes(name), name);
  }
});

test("the example of every command's help works as typed", () => {
  const folderOfPlm = join(folder, "bin");
  mkdirSync(folderOfPlm);
  const main = resolve("build/src/cli/main.js");
  const script = `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`;
  writeFileSync(join(folderOfPlm, "plm"), script);
  chmodSync(join(folderOfPlm, "plm"), 0o755);
  // What `plm train` begins with.
  writeFileSync(join(folder, "stories.json"), JSON.stringify(smallConfig()));
  writeFileSync(join(folder, "text.txt"), madeUpText(200));
  writeFileSync(join(folder, "held-out.txt"), madeUpText(9, 61));
  const env = { ...process.env, PATH: `${folderOfPlm}${delimiter}${process.env.PATH}` };
  for (const command of createProgram().commands) {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const [, example] = /^Example:\n {2}(plm .*)\n/m.exec(help) ?? [];
    assert.ok(example?.includes(`plm ${command.name()} `), `${command.name()}: an example`);
    execFileSync("sh", ["-c", example], { cwd: folder, env, stdio: ["ignore", "pipe", "ignore"] });
  }
});

test("wrong command lines are told in one line", async () => {
  await Promise.all([
    assertFails(/unknown command 'frob'; plm --help/, "frob", "x"),
    assertFails(/unknown option '--foo'; plm --help/, "--foo"),
    assertFails(
      /unknown option '--max-tokns'.*--max-tokens.*generate --help/,
      "generate",
      "--max-tokns",
    ),
    assertFails(/too many arguments.*; plm generate --help/, "generate", "Once"),
    assertFails(/'-p, --prompt <text>' argument missing/, "generate", "--prompt"),
    assertFails(/'--ids, --tokens <list>' not specified/, "logits"),
    assertFails(/'-o, --out <file>' not specified/, "init"),
  ]);
});

test.run();
