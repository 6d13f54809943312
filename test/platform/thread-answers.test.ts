/** Threads that answer as another version's, otherwise, or not at all; of both engines. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { VERSION } from "../../src/platform/thread-message.js";
import type { ThreadScript } from "../../src/platform/thread-worker.js";
import { loadEngine } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { tinyModel } from "../model/support/tiny.js";
import { createSmallEngine } from "../training/support/small-engine.js";

let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** How many threads a model and a training run get with such a script, and why. */
async function startBoth(
  threadScript: ThreadScript,
): Promise<{ threads: number; failure: string }[]> {
  const engines = [
    await loadEngine(tinyModel({ type: "Q8_0" }), { threads: 2, threadScript }),
    await createSmallEngine(2, threadScript),
  ];
  return engines.map((engine) => {
    const { threads, threadFailure } = engine;
    engine.dispose();
    return { threads, failure: threadFailure?.message ?? "" };
  });
}

async function assertRefused(script: ThreadScript, failure: RegExp): Promise<void> {
  for (const found of await startBoth(script)) {
    assert.is(found.threads, 1);
    assert.match(found.failure, failure);
  }
}

test("threads give the version of package.json", () => {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  assert.is(VERSION, JSON.parse(text).version);
});

test("a script of another version of the package is refused, by the versions", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plm-other-version-"));
  try {
    cpSync(fileURLToPath(new URL("../../src", import.meta.url)), folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const message = join(folder, "platform", "thread-message.js");
    const text = readFileSync(message, "utf8");
    for (const version of [VERSION, "9.8.7"]) {
      writeFileSync(message, text.replace(`"${VERSION}"`, `"${version}"`));
      for (const name of ["node", "web"]) {
        const script = join(folder, "threads", `${name}.js`);
        if (version === VERSION) {
          for (const { threads, failure } of await startBoth(script)) {
            assert.equal([threads, failure], [2, ""]);
          }
        } else {
          const [ours, other] = [VERSION, version].map((each) => each.replaceAll(".", "\\."));
          const expected = `^threadScript: expected version ${ours} of plm-wasm/thread, got ${other}$`;
          await assertRefused(script, new RegExp(expected));
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A worker that runs a program. */
const running = (program: string) => (): Worker => new Worker(program, { eval: true });

test("a worker that is no thread of the package is refused", async () => {
  for (const answer of ["'ready'", "undefined", "{ version: 5 }"]) {
    await assertRefused(
      running(`require("node:worker_threads").parentPort.postMessage(${answer})`),
      /^threadScript: expected version .* of plm-wasm\/thread, got a worker that gives none$/,
    );
  }
  await assertRefused(
    running("process.exit()"),
    /^threadScript: expected its worker to start, got the thread ended$/,
  );
});

test("a thread that does not answer is waited for 10 seconds, and ended", async () => {
  const ended: Promise<unknown>[] = [];
  const silent = (): Worker => {
    const worker = running("setInterval(() => {}, 1000)")();
    ended.push(new Promise((resolve) => worker.on("exit", resolve)));
    return worker;
  };
  const startMs = performance.now();
  const [model, engine] = await Promise.all([
    loadEngine(tinyModel({ type: "Q8_0" }), { threads: 3, threadScript: silent }),
    createSmallEngine(3, silent),
  ]);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs > 9_900, `${tookMs} ms`);
  for (const { threads, threadFailure } of [model, engine]) {
    assert.equal([threads, threadFailure?.message], [1, "no answer in 10 seconds"]);
  }
  assert.is(ended.length, 4);
  await Promise.all(ended);
});

test.run();
