/** How workers of models start and end, and what becomes of the calls. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { generate, type Model, type PlmError, type Session } from "../../src/index.js";
import { VERSION } from "../../src/platform/thread-message.js";
import { tinyTokens } from "../model/support/tiny.js";
import { countsThreads, osThreads, untilThreads } from "../support/os-threads.js";
import { codeOf, ENDLESS, FILE, loadRemote, watchRejections } from "./support/both.js";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const unhandled = watchRejections();
test.after(() => assert.equal(unhandled, []));

const SCRIPTS = ["node", "web"].map(
  (name) => new URL(`../../src/worker/${name}.js`, import.meta.url),
);
const INDEX = JSON.stringify(new URL("../../src/index.js", import.meta.url).href);

test("a path, a URL and a function start workers, with either script", async () => {
  for (const url of SCRIPTS) {
    for (const worker of [url, url.href, fileURLToPath(url), () => new Worker(url)]) {
      const model = await loadRemote({ worker });
      assert.is(
        (await model.generate("a", { ...ENDLESS, maxTokens: 3 }).result()).tokens.length,
        3,
      );
      model.dispose();
    }
  }
});

/** The failure of loading with a script. */
async function failureOf(worker: unknown): Promise<PlmError> {
  const error: PlmError = await loadRemote({ worker: worker as never }).catch((thrown) => thrown);
  return error;
}

const running = (program: string) => (): Worker => new Worker(program, { eval: true });

test("a script that does not start is named", async () => {
  const missing = new URL("no-such-worker.js", import.meta.url);
  const posting = (message: string) =>
    running(`require("node:worker_threads").parentPort.postMessage(${message})`);
  const failures: [unknown, RegExp][] = [
    [missing, /^worker: expected .*no-such-worker\.js to start, got Cannot find module/],
    [() => new Worker(missing), /^worker: expected a worker to start, got Cannot find module/],
    [() => Promise.resolve(), /^worker: expected a worker to start, got /],
    [() => undefined, /^worker: expected a worker to start, got /],
    [running("process.exit()"), /^worker: expected a worker to start, got its end$/],
    [posting("'ready'"), /got none instead of version .* of plm-wasm\/worker$/],
    [posting("{ version: '9.8.7' }"), /got 9\.8\.7 instead of version/],
  ];
  for (const [script, message] of failures) {
    const error = await failureOf(script);
    assert.equal([error.code, error.argument], ["WORKER_LOST", "worker"], error.message);
    assert.match(error.message, message);
  }
  for (const wrong of [null, 5, {}]) {
    const { code, message } = await failureOf(wrong);
    assert.is(code, "INVALID_ARGUMENT");
    assert.match(message, /^worker: expected /);
  }
});

test("a worker of another version is refused, by the versions", async () => {
  const copy = mkdtempSync(join(tmpdir(), "plm-other-worker-"));
  try {
    cpSync(fileURLToPath(new URL("../../src", import.meta.url)), copy, { recursive: true });
    const imports = { "#platform": "./platform/node-imports.js" };
    writeFileSync(join(copy, "package.json"), JSON.stringify({ type: "module", imports }));
    cpSync(
      fileURLToPath(new URL("../../../node_modules/@assemblyscript", import.meta.url)),
      join(copy, "node_modules/@assemblyscript"),
      { recursive: true },
    );
    writeFileSync(join(copy, "platform/thread-message.js"), 'export const VERSION = "9.8.7";\n');
    const { message } = await failureOf(join(copy, "worker/node.js"));
    assert.match(message, `got 9.8.7 instead of version ${VERSION} of plm-wasm/worker`);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test("a worker that does not answer is ended after 10 seconds; an abort waits less", async () => {
  const exits: Promise<unknown>[] = [];
  const silent = (): Worker => {
    const worker = running("setInterval(() => {}, 1000)")();
    exits.push(new Promise((resolve) => worker.on("exit", resolve)));
    return worker;
  };
  const start = performance.now();
  const controller = new AbortController();
  const aborted = codeOf(loadRemote({ worker: silent, signal: controller.signal }));
  setTimeout(() => controller.abort("enough"), 200);
  const waiting = failureOf(silent);
  assert.is(await aborted, "enough");
  assert.ok(performance.now() - start < 5_000);
  assert.match((await waiting).message, "no answer in 10 seconds");
  assert.ok(performance.now() - start > 9_900);
  await Promise.all(exits);
});

/** A model and the worker that it is in. */
async function loadWithWorker(): Promise<{ model: Model; worker: Worker }> {
  let worker: Worker | undefined;
  const model = await loadRemote({
    threads: 2,
    worker: () => {
      worker = new Worker(SCRIPTS[0]);
      return worker;
    },
  });
  return { model, worker: worker! };
}

test("a worker that is lost rejects what is under way, and all that comes", async () => {
  const { model, worker } = await loadWithWorker();
  const session = model.createSession();
  await session.evaluate([1, 2]);
  const reading = model.generate(tinyTokens(5), ENDLESS)[Symbol.asyncIterator]();
  await reading.next();
  const stream = session.saveStream().getReader();
  const calls = [
    ...[session.evaluate(tinyTokens(30)), model.createSession().evaluate([1])],
    ...[model.restoreSession(new Blob([FILE])), model.readWeights(), stream.read()],
  ].map((call) => codeOf(call));
  void worker.terminate();
  assert.equal(await Promise.all(calls), Array(5).fill("WORKER_LOST"));
  assert.is(await codeOf(reading.next()), "WORKER_LOST");
  assert.is(await codeOf(session.evaluate([1])), "WORKER_LOST");
  assert.equal([...session.tokens], [1, 2]);
  const late = model.createSession();
  for (const call of [
    () => late.evaluate([1]),
    () => late.fork().save(),
    () => late.saveStream(),
  ]) {
    assert.is(await codeOf(call), "WORKER_LOST");
  }
  assert.is(await codeOf(model.generate("a").text()), "WORKER_LOST");
  assert.is(await codeOf(model.restoreSession(FILE)), "WORKER_LOST");
  model.dispose();
  assert.is(await codeOf(late.evaluate([1])), "DISPOSED");
  assert.is(await codeOf(() => model.createSession()), "DISPOSED");
});

test("a worker that is lost while it loads ends the load", async () => {
  let worker: Worker | undefined;
  const loading = loadRemote({
    worker: () => {
      worker = new Worker(SCRIPTS[0]);
      return worker;
    },
    onProgress: () => void worker?.terminate(),
  });
  assert.is(await codeOf(loading), "WORKER_LOST");
});

(countsThreads ? test : test.skip)("workers and their threads end with their models", async () => {
  (await loadRemote({ threads: 2 })).dispose();
  await sleep(1_000);
  const before = osThreads();
  const used = await loadRemote({ threads: 2 });
  assert.is(used.threads, 2);
  await used.generate("a", { ...ENDLESS, maxTokens: 3 }).text();
  assert.ok(osThreads() > before + 1, "they started");
  used.dispose();
  assert.equal([used.threads, used.pagesInUse], [1, 0]);
  await untilThreads(before);
  assert.is(await codeOf(loadRemote({ threads: 2, contextLength: -1 })), "INVALID_ARGUMENT");
  await untilThreads(before);
  const controller = new AbortController();
  const onProgress = (): void => controller.abort("enough");
  const { signal } = controller;
  assert.is(await codeOf(loadRemote({ threads: 2, signal, onProgress })), "enough");
  await untilThreads(before);
  const { worker } = await loadWithWorker();
  await worker.terminate();
  await untilThreads(before);
  await (async () => {
    const dropped = await loadRemote({ threads: 2 });
    await dropped.generate("a", { ...ENDLESS, maxTokens: 3 }).text();
    // A reader that is dropped with its model.
    await dropped.generate("a", ENDLESS)[Symbol.asyncIterator]().next();
  })();
  for (let i = 0; i < 200 && osThreads() > before; i++) {
    collect();
    await sleep(20);
  }
  assert.ok(osThreads() <= before, `${osThreads()} threads, ${before} before`);
});

test("a session in use keeps its model; what is dropped gives its pages back", async () => {
  const session: Session = await (async () => (await loadRemote()).createSession())();
  for (let i = 0; i < 10; i++) {
    collect();
    await sleep(10);
  }
  assert.is((await session.evaluate([1, 2, 3])).length, session.vocabSize);
  session.dispose();

  const model = await loadRemote({ cacheTokens: 1024, prefixCache: false });
  const kept = model.createSession();
  await (async () => {
    const dropped = model.createSession();
    await dropped.evaluate(tinyTokens(20));
    dropped.saveStream();
    await dropped.save();
    const generation = generate(kept, model.tokenizer, [1], ENDLESS);
    await generation[Symbol.asyncIterator]().next();
  })();
  assert.is(await codeOf(kept.evaluate([1])), "SESSION_BUSY");
  let code: unknown = "SESSION_BUSY";
  for (let i = 0; i < 200 && (code === "SESSION_BUSY" || model.pagesInUse > 2); i++) {
    collect();
    await sleep(20);
    code = await codeOf(kept.evaluate([1]));
    if (code === "no error") kept.truncate(1);
    await model.readWeights();
  }
  assert.equal([code, model.pagesInUse], ["no error", 2]);
  model.dispose();
});

/** What a program prints, which must end by itself. */
function outputOf(program: string): string {
  const input = `
    import { loadModel } from ${INDEX};
    const text = atob("${Buffer.from(FILE).toString("base64")}");
    const file = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const model = await loadModel(file, { threads: 2, worker: true });
    ${program}
  `;
  const args = ["--input-type=module", "-"];
  const { FORCE_COLOR: _, NO_COLOR: __, ...env } = process.env;
  const how = { input, env, timeout: 30_000, encoding: "utf8" } as const;
  const ended = spawnSync(process.execPath, args, how);
  assert.equal([ended.status, ended.signal, ended.stderr], [0, null, ""]);
  return ended.stdout;
}

test("a program waits for calls that are under way, and for nothing else", () => {
  assert.is(outputOf("console.log(String(model.threads > 0));"), "true\n");
  assert.is(outputOf("model.dispose(); console.log(String(1));"), "1\n");
  const reading = `
    const pieces = model.generate("a", { ignoreEos: true })[Symbol.asyncIterator]();
    console.log(typeof (await pieces.next()).value);
  `;
  assert.is(outputOf(reading), "string\n");
  const calling = `
    const session = model.createSession();
    session.evaluate([1, 2, 3]).then(() => session.save()).then(({ length }) => {
      console.log(String(length > 0));
    });
  `;
  assert.is(outputOf(calling), "true\n");
});

test("the caller's event loop stays free", async () => {
  const model = await loadRemote();
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  let longest = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await Promise.all([1, 2, 3].map((seed) => model.generate("a", { ...ENDLESS, seed }).text()));
  clearInterval(timer);
  clearInterval(watch);
  assert.ok(turns > 5, `${turns} turns, at most ${longest} ms apart`);
  model.dispose();
});

test.run();
