import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openGguf, openSources } from "../../src/index.js";
import { type LogLine, parseLog } from "../../src/training/run/log.js";
import { madeUpText, smallConfig } from "../training/support/small-run.js";
import { assertFails, finish, folder, output, plm, start } from "./support/plm.js";

/** A folder with texts and a config; returns the config's path. */
function prepare(name: string, config: Record<string, unknown>, text = madeUpText(200)): string {
  const place = join(folder, `train-${name}`);
  mkdirSync(place);
  writeFileSync(join(place, "text.txt"), text);
  writeFileSync(join(place, "held-out.txt"), madeUpText(9, 61));
  writeFileSync(join(place, "more.txt"), madeUpText(30, 62));
  writeFileSync(join(place, "config.json"), JSON.stringify(config));
  return join(place, "config.json");
}

/** The log without speeds. */
function logOf(run: string): Omit<LogLine, "tokensPerSecond">[] {
  const lines = parseLog(readFileSync(join(folder, run, "log.jsonl"), "utf8"));
  return lines.map(({ tokensPerSecond, ...line }) => line);
}

function modelOf(run: string): Buffer {
  return readFileSync(join(folder, run, "model.gguf"));
}

/** Standard output of a run that must succeed; its plan is on standard error. */
async function train(config: string, run: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await plm("train", config, "--out", run, ...args);
  assert.match(stderr, /^plm: memory: [0-9.]+ [kM]B\nplm: \d+ parameters, \d threads?\n/);
  assert.is(code, 0, stderr);
  return stdout;
}

test("plm train makes a model that generates, a log and a report", async () => {
  const config = prepare("whole", { ...smallConfig(), samples: { every: 6, prompt: "the" } });
  const result = JSON.parse(await train(config, "train-to-run", "--threads", "2", "--json")) as {
    readonly steps: number;
    readonly loss: number;
    readonly evaluation: { readonly bitsPerByte: number };
  };
  assert.is(result.steps, 12);
  assert.ok(result.evaluation.bitsPerByte < 8);
  const log = logOf("train-to-run");
  assert.is(log.length, 12);
  assert.is(log[11].loss, result.loss);
  assert.match(log[11].sample ?? "", /^the/);
  assert.match(readFileSync(join(folder, "train-to-run/report.html"), "utf8"), /<svg/);
  const args = ["generate", "-m", "train-to-run/model.gguf", "-p", "the cat", "--max-tokens", "8"];
  assert.ok((await output(...args, "--seed", "1")).length > 7);
  const again = await train(config, "train-to-run");
  assert.match(again, /^nothing to do, the run had ended: 12 steps, \d+ tokens, loss \d/);
  const told = JSON.parse(await train(config, "train-to-run", "--json"));
  assert.equal({ ...told, seconds: 0 }, { ...result, seconds: 0 });
  const { metadata } = await openGguf(await openSources(modelOf("train-to-run")));
  assert.is(metadata.get("general.name"), "config");
});

test("threads that do not start are reported, and one trains the same", async () => {
  const config = prepare("alone", smallConfig());
  await train(config, "train-to-alone", "--threads", "1");
  // Workers fail in such a process, which claims processors enough for two.
  const preload = join(folder, "no-workers.mjs");
  writeFileSync(
    preload,
    `import { syncBuiltinESMExports } from "node:module";
    import os from "node:os";
    import threads from "node:worker_threads";
    os.availableParallelism = () => 4;
    threads.Worker = class { constructor() { throw new Error("no worker today"); } };
    syncBuiltinESMExports();`,
  );
  process.env.NODE_OPTIONS = `--import=${pathToFileURL(preload)}`;
  const args = ["train", config, "--out", "train-to-fallen-back", "--threads", "2"];
  const { code, stderr } = await plm(...args).finally(() => delete process.env.NODE_OPTIONS);
  assert.is(code, 0, stderr);
  const said = /^plm: memory: .*\nplm: threads: 1: threads: .* got no worker today; .*\n/.source;
  assert.match(stderr, new RegExp(`${said}plm: \\d+ parameters, 1 thread\n`));
  assert.equal(logOf("train-to-fallen-back"), logOf("train-to-alone"));
  assert.ok(modelOf("train-to-fallen-back").equals(modelOf("train-to-alone")));
});

test("Ctrl-C keeps a checkpoint, and output appears during the run", async () => {
  const config = prepare("stopped", { ...smallConfig({ steps: 5000 }), name: "stops" });
  const child = start("train", config, "--out", "train-to-stopped", "--threads", "1");
  const ended = finish(child);
  let told = "";
  child.stderr.on("data", (text) => {
    told += text;
  });
  await until(() => stepsOf("train-to-stopped") > 3);
  assert.match(told, /^plm: memory: .*\nplm: \d+ parameters, 1 thread\nplm: \d+\/5000 steps, loss/);
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  assert.is(code, 130);
  const step = Number(
    /plm: stopped after step (\d+): the same command goes on\n$/.exec(stderr)?.[1],
  );
  const name = `step-${String(step).padStart(9, "0")}.checkpoint`;
  assert.ok(existsSync(join(folder, "train-to-stopped", name)));
  assert.match(readFileSync(join(folder, "train-to-stopped", "report.html"), "utf8"), /stops/);
  writeFileSync(join(folder, "train-to-stopped", "step-000004999.checkpoint"), "torn");
  const next = start("train", config, "--out", "train-to-stopped", "--threads", "1");
  const nextEnded = finish(next);
  await until(() => stepsOf("train-to-stopped") > step + 3);
  next.kill("SIGTERM");
  const passed = /passed over step-000004999.checkpoint: checkpoint: expected "PLMTRAIN".*\n/
    .source;
  const ending = await nextEnded;
  assert.is(ending.code, 143);
  assert.match(ending.stderr, new RegExp(`${passed}plm: goes on from ${name}\n`));
});

test("a run killed at any moment resumes to the last digit", async () => {
  const config = prepare("killed", smallConfig({ steps: 400, checkpoint: 7 }));
  await train(config, "train-to-uninterrupted", "--threads", "1");
  let kills = 0;
  for (; kills < 20 && !isDone("train-to-interrupted", 400); kills++) {
    const child = start("train", config, "--out", "train-to-interrupted", "--threads", "1");
    const ended = finish(child);
    const before = stepsOf("train-to-interrupted");
    await until(() => stepsOf("train-to-interrupted") > before + 11 || child.exitCode !== null);
    child.kill("SIGKILL");
    await ended;
  }
  assert.ok(kills >= 3, `${kills} kills`);
  await train(config, "train-to-interrupted", "--threads", "1");
  assert.equal(logOf("train-to-interrupted"), logOf("train-to-uninterrupted"));
  assert.ok(modelOf("train-to-interrupted").equals(modelOf("train-to-uninterrupted")));
  const leftovers = readdirSync(join(folder, "train-to-interrupted")).filter((name) =>
    /part|unf/.test(name),
  );
  assert.equal(leftovers, []);
});

test("bad input is reported in one line, before anything is written", async () => {
  const unknown = prepare("unknown", { ...smallConfig(), sead: 3 });
  await assertFails(/config: sead: .*seed/, "train", unknown, "--out", "train-to-no");
  const empty = prepare("empty", smallConfig(), "");
  await assertFails(
    /text text: expected text, got an empty file/,
    "train",
    empty,
    "--out",
    "train-to-no",
  );
  const binary = prepare("binary", smallConfig(), "a\0b");
  await assertFails(
    /text text: expected text, got a binary file/,
    "train",
    binary,
    "--out",
    "train-to-no",
  );
  await assertFails(
    /config: expected a readable file/,
    "train",
    "none.json",
    "--out",
    "train-to-no",
  );
  const wordy = { every: 6, prompt: "the cat ".repeat(65) };
  await assertFails(
    /samples\.prompt: expected at most 64 tokens \(model\.maxPositionEmbeddings\), got \d+/,
    "train",
    prepare("wordy", { ...smallConfig(), samples: wordy }),
    "--out",
    "train-to-no",
  );
  const good = prepare("good", smallConfig());
  await assertFails(/--threads/, "train", good, "--out", "train-to-no", "--threads", "0");
  assert.not.ok(existsSync(join(folder, "train-to-no")));
});

test("a longer run goes on from the last stable step as if it had always been meant", async () => {
  const short = prepare("short", smallConfig());
  await train(short, "train-to-short", "--threads", "1");
  const config = smallConfig({ steps: 24 }) as ReturnType<typeof smallConfig> & {
    readonly schedule: object;
    readonly batch: object;
  };
  Object.assign(config.schedule, { warmup: 0.05, stable: 0.8 });
  const accumulate = [
    [0, 1],
    [0.25, 2],
  ];
  Object.assign(config.batch, { accumulate });
  // And a text that the short run lacks, for its end.
  const { texts, phases } = config as unknown as Record<string, Record<string, unknown>>;
  texts.more = { path: "more.txt", separator: "<|endoftext|>" };
  phases.decay = { text: 1, more: 2 };
  const long = prepare("long", config);
  await train(long, "train-to-long", "--threads", "1");
  mkdirSync(join(folder, "train-to-longer"));
  for (const name of ["step-000000007.checkpoint", "log.jsonl"]) {
    copyFileSync(join(folder, "train-to-short", name), join(folder, "train-to-longer", name));
  }
  await train(long, "train-to-longer", "--threads", "1");
  assert.equal(logOf("train-to-longer"), logOf("train-to-long"));
  assert.ok(modelOf("train-to-longer").equals(modelOf("train-to-long")));
  const { code, stderr } = await plm("train", long, "--out", "train-to-short");
  assert.is(code, 1);
  assert.match(stderr, /a run whose config has rate of step 8: .*, not 0.01\n$/);
});

test("a checkpoint of another config is refused by the key that differs", async () => {
  const config = prepare("one", smallConfig());
  await train(config, "train-to-both", "--threads", "1");
  const other = prepare("other", { ...smallConfig(), seed: 4 });
  const { code, stderr } = await plm("train", other, "--out", "train-to-both");
  assert.is(code, 1);
  assert.match(stderr, /checkpoint: it is of a run whose config has seed 3, not 4\n$/);
});

function stepsOf(run: string): number {
  const path = join(folder, run, "log.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length : 0;
}

function isDone(run: string, steps: number): boolean {
  return existsSync(join(folder, run, `step-${String(steps).padStart(9, "0")}.checkpoint`));
}

/** Fails if a condition is not met within a minute. */
async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, String(condition));
    await new Promise((done) => setTimeout(done, 5));
  }
}

test.run();
