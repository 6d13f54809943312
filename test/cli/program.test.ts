import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createProgram } from "../../src/cli/program.js";
import { resolveOptions } from "../../src/generation/options.js";
import { sampleFile } from "../format/support/sample.js";
import { serveHub } from "../store/support/hub.js";
import { startRedis } from "../support/redis-server.js";
import { madeUpText, smallConfig } from "../training/support/small-run.js";
import { assertFails, folder, output } from "./support/plm.js";

test("help lists every command, and --version the package's", async () => {
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

test("every option of the library's generation is a flag of generate", () => {
  const generate = createProgram().commands.find((command) => command.name() === "generate")!;
  const flags = generate.options.map((option) => option.attributeName());
  const { signal, responseFormat, ...options } = resolveOptions({}, 1);
  for (const name of Object.keys(options)) assert.ok(flags.includes(name), name);
  for (const name of ["jsonSchema", "grammar", "regex"]) assert.ok(flags.includes(name), name);
  const topK = generate.options.find((option) => option.attributeName() === "topK")!;
  assert.match(topK.description, `(default: ${options.topK})`);
});

test("help of a command is what --help prints of it", async () => {
  for (const name of ["generate", "help"]) {
    assert.is(await output("help", name), await output(name, "--help"));
  }
  assert.is(await output("help"), await output("--help"));
});

test("the example of every command's help works as typed", async () => {
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
  // What `plm batch` answers.
  const body = { prompt: "Once", max_tokens: 2 };
  const request = { custom_id: "a", method: "POST", url: "/v1/completions", body };
  writeFileSync(join(folder, "requests.jsonl"), JSON.stringify(request));
  const redis = await startRedis();
  // What `plm pull` asks for.
  const hub = await serveHub({ "model.gguf": sampleFile() });
  const env = {
    ...process.env,
    HF_ENDPOINT: hub.url.href,
    XDG_CACHE_HOME: folder,
    PATH: `${folderOfPlm}${delimiter}${process.env.PATH}`,
  };
  const examples: string[] = [];
  for (const command of createProgram().commands) {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const [, example] = /^Example:\n {2}(plm .*)\n/m.exec(help) ?? [];
    assert.ok(example?.includes(`plm ${command.name()} `), `${command.name()}: an example`);
    examples.push(example!);
  }
  try {
    for (const example of examples) {
      const isServer = /^plm (serve|worker) /.test(example);
      if (redis === undefined && example.includes("--redis")) continue;
      const place = example.replace("redis://localhost:6379", redis?.url ?? "");
      const line = `exec ${place.replace("--port 8080", "--port 0")}`;
      const stdio = ["ignore", isServer ? "pipe" : "ignore", "ignore"] as const;
      const child = spawn("sh", ["-c", line], { cwd: folder, env, stdio: [...stdio] });
      // A server ends when it is told to.
      child.stdout?.once("data", () => child.kill("SIGTERM"));
      assert.is((await once(child, "close"))[0], isServer ? 128 + 15 : 0, example);
    }
  } finally {
    await hub.close();
    await redis?.stop();
  }
});

test("wrong command lines get one line: what was expected, what came", async () => {
  await Promise.all([
    assertFails(/expected a command \(generate, .*\), got 'frob'; see plm --help/, "frob", "x"),
    assertFails(/expected a command .*, got 'nope'; see plm --help/, "help", "nope"),
    assertFails(/expected a command .*, got 'nope'; see plm --help/, "nope", "--help"),
    assertFails(/expected a command .*, got 'nope'; see plm --help/, "nope", "--foo"),
    assertFails(/help: expected 1 argument, got 'x' as well/, "help", "generate", "x"),
    assertFails(/unknown option '--foo'; see plm --help/, "help", "--foo"),
    assertFails(/unknown option '--foo'; see plm --help/, "--foo"),
    assertFails(
      /unknown option '--max-tokns'.*--max-tokens.*see plm generate --help/,
      "generate",
      "--max-tokns",
    ),
    assertFails(/generate: expected options only, got 'Once' as well/, "generate", "Once"),
    assertFails(/'-p, --prompt <text>' argument missing/, "generate", "--prompt"),
    assertFails(/'--ids, --tokens <list>' not specified/, "logits"),
    assertFails(/'-o, --out <file>' not specified/, "init"),
  ]);
});

test.run();
