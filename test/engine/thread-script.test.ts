/** Threads with the caller's script, and the reasons given when a script does not start. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, type Model, type PlmError, type ThreadScript } from "../../src/index.js";
import defaultPlatform from "../../src/platform/default.js";
import nodePlatform from "../../src/platform/node-imports.js";

const file = readFileSync(new URL("../../../models/plm-test.gguf", import.meta.url));
const SCRIPTS = ["node", "web"].map(
  (name) => new URL(`../../src/threads/${name}.js`, import.meta.url),
);

async function use(threadScript: ThreadScript, look: (model: Model) => unknown): Promise<void> {
  const model = await loadModel(file, { threads: 2, threadScript });
  try {
    await look(model);
  } finally {
    model.dispose();
  }
}

const textOf = (model: Model): Promise<string> =>
  model.generate("Once upon a time", { maxTokens: 8, seed: 1 }).text();

test("a path, a URL and a function start threads, with either script", async () => {
  const alone = await loadModel(file, { threads: 1 });
  const expected = await textOf(alone);
  alone.dispose();
  for (const url of SCRIPTS) {
    const forms = [url, url.href, fileURLToPath(url), () => new Worker(url)];
    for (const threadScript of forms) {
      await use(threadScript, async (model) => {
        assert.is(model.threads, 2, `${threadScript}: ${model.threadFailure}`);
        assert.is(model.threadFailure, undefined);
        assert.is(await textOf(model), expected);
      });
    }
  }
});

test("a script that does not start is named, and one thread computes", async () => {
  const missing = new URL("no-such-thread.js", import.meta.url);
  const failures: [ThreadScript, RegExp][] = [
    [missing, /threadScript: expected .*no-such-thread\.js to start, got Cannot find module/],
    ["thread.js", /threadScript: expected thread\.js to start, got /],
    [() => new Worker(missing), /threadScript: expected its worker to start, got Cannot find/],
    [() => Promise.resolve() as never, /threadScript: expected its worker to start, got /],
    [
      () => {
        throw new Error("no worker today");
      },
      /threadScript: expected its worker to start, got no worker today/,
    ],
  ];
  for (const [threadScript, message] of failures) {
    await use(threadScript, (model) => {
      assert.is(model.threads, 1);
      assert.match(model.threadFailure?.message ?? "", message);
    });
  }
});

test("if the package's own script does not start, the option is named", async () => {
  for (const platform of [nodePlatform, defaultPlatform]) {
    // What cannot be sent stands for any reason not to start.
    const { ready, end } = platform.startThread(() => undefined);
    const error = await ready.catch((thrown: unknown) => thrown);
    assert.instance(error, Error);
    assert.match((error as Error).message, "threads: expected a worker to start, got ");
    assert.match((error as Error).message, "plm-wasm/thread");
    assert.match((error as Error).message, "`threadScript`");
    end();
  }
});

test("threads of a model that is not disposed of do not keep a program alive", () => {
  const index = new URL("../../src/index.js", import.meta.url).href;
  const model = fileURLToPath(new URL("../../../models/plm-test.gguf", import.meta.url));
  for (const script of ["undefined", `new URL("${SCRIPTS[0]}")`]) {
    const program = `
      import { loadModel } from "${index}";
      const options = { threads: 2, threadScript: ${script} };
      console.log(String((await loadModel(${JSON.stringify(model)}, options)).threads));
    `;
    const args = ["--input-type=module", "--eval", program];
    const { stdout, signal } = spawnSync(process.execPath, args, { timeout: 60_000 });
    assert.equal([String(stdout), signal], ["2\n", null]);
  }
});

test("values that are not scripts are refused", async () => {
  for (const wrong of [null, 5, {}, true]) {
    const loading = loadModel(file, { threadScript: wrong as never });
    const error = await loading.catch((thrown: unknown) => thrown);
    assert.is((error as PlmError).code, "INVALID_ARGUMENT");
    assert.match((error as PlmError).message, "threadScript: expected a path, a URL or a function");
  }
});

test.run();
