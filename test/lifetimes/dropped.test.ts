/** Threads of unreachable models that were not disposed of: they end. */
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { endWhenDropped } from "../../src/engine/dropped.js";
import { loadModel, type Session } from "../../src/index.js";
import { tinyModel } from "../model/support/tiny.js";
import { collect, collectUntil } from "../support/collect.js";

/** Threads of this process, JavaScript's and the engine's, as Linux counts them. */
const THREADS = "/proc/self/task";
const osThreads = (): number => readdirSync(THREADS).length;
const onLinux = existsSync(THREADS) ? test : test.skip;

const FILE = tinyModel({ type: "Q8_0" });

test("a dependent ends when its owner is dropped, and not before", async () => {
  const ended: string[] = [];
  const kept = {};
  endWhenDropped(kept, () => ended.push("kept"));
  (() => endWhenDropped({}, () => ended.push("dropped")))();
  assert.ok(await collectUntil(() => ended.length > 0));
  assert.equal(ended, ["dropped"]);
  assert.ok(kept);
});

onLinux("the threads of dropped models end", async () => {
  // A first model makes the engine start its own threads.
  (await loadModel(FILE, { threads: 2 })).dispose();
  await sleep(300);
  const before = osThreads();
  await (async () => {
    for (let i = 0; i < 3; i++) {
      const model = await loadModel(FILE, { threads: 3 });
      await model.generate("Once", { maxTokens: 3 }).text();
    }
  })();
  assert.ok(osThreads() > before, "they started");
  assert.ok(await collectUntil(() => osThreads() <= before), `${osThreads()}, ${before} before`);
});

onLinux("a model with a session in use is not dropped", async () => {
  const before = osThreads();
  const session: Session = await (async () => {
    const model = await loadModel(FILE, { threads: 3 });
    return model.createSession();
  })();
  for (let i = 0; i < 10; i++) {
    collect();
    await sleep(10);
  }
  const expected = await session.evaluate([1, 2, 3]);
  assert.is(expected.length, session.vocabSize);
  assert.ok(osThreads() > before, "its threads are alive");
  session.dispose();
});

test.run();
