/** Threads of training: how they start, what is done without them, and how they end. */
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import { PlmError } from "../../../src/errors.js";
import type { ThreadScript } from "../../../src/platform/thread-worker.js";
import { withLostJoin } from "../../kernels/support/lost-join.js";
import { countsThreads, osThreads, untilThreads } from "../../support/os-threads.js";
import { createSmallEngine, smallBatch, trainSteps } from "../support/small-engine.js";

const alone = await createSmallEngine(1);
const expected = trainSteps(alone);

test("the scripts of inference's threads are those of training", async () => {
  for (const name of ["node", "web"]) {
    const url = new URL(`../../../src/threads/${name}.js`, import.meta.url);
    for (const threadScript of [url, () => new Worker(url)] as ThreadScript[]) {
      const engine = await createSmallEngine(3, threadScript);
      assert.equal([engine.threads, engine.threadFailure], [3, undefined]);
      assert.equal(trainSteps(engine), expected);
      engine.dispose();
    }
  }
  const wrong = await createSmallEngine(2, 5 as never).catch((thrown: unknown) => thrown);
  assert.match((wrong as PlmError).message, "threadScript: expected a path, a URL or a function");
});

(countsThreads ? test : test.skip)("training's threads return by themselves", async () => {
  const { terminate } = Worker.prototype;
  const { startThread } = platform;
  let terminated = 0;
  Worker.prototype.terminate = function (this: Worker): Promise<number> {
    terminated++;
    return terminate.call(this);
  };
  try {
    (await createSmallEngine(4)).dispose();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = osThreads();
    const disposed = await createSmallEngine(4);
    disposed.evaluate(smallBatch(1));
    disposed.dispose();
    await untilThreads(before);
    // One of them does not start; the others wait to join.
    platform.startThread = (start) => {
      if ((start as { index: number }).index === 3) throw new Error("no more workers");
      return startThread(start);
    };
    const left = await createSmallEngine(4);
    assert.equal([left.threads, left.threadFailure?.message], [1, "no more workers"]);
    await untilThreads(before);
    assert.equal(trainSteps(left), expected);
    assert.is(terminated, 0, "threads that had to be terminated");
  } finally {
    platform.startThread = startThread;
    Worker.prototype.terminate = terminate;
  }
});

test("without shared memory one thread trains, and the reason is reported", async () => {
  const { hasThreads } = platform;
  platform.hasThreads = () => false;
  try {
    const engine = await createSmallEngine(3);
    assert.is(engine.threads, 1);
    assert.match(engine.threadFailure?.message ?? "", "cross-origin isolated");
    assert.equal(trainSteps(engine), expected);
    assert.is((await createSmallEngine(1)).threadFailure, undefined);
  } finally {
    platform.hasThreads = hasThreads;
  }
});

test("a page, whose own thread may not sleep, trains with threads", async () => {
  const { maySleep } = platform;
  const { wait } = Atomics;
  platform.maySleep = () => false;
  Atomics.wait = () => {
    throw new TypeError("Atomics.wait cannot be called in this context");
  };
  try {
    const engine = await createSmallEngine(2);
    assert.is(engine.threads, 2);
    assert.equal(trainSteps(engine), expected);
    engine.dispose();
  } finally {
    platform.maySleep = maySleep;
    Atomics.wait = wait;
  }
});

test("an engine that lost a thread throws from then on", async () => {
  const engine = await createSmallEngine(2);
  await withLostJoin(2, () => {
    assert.throws(() => engine.addBatch(smallBatch(1), 1), isLost);
  });
  assert.throws(() => engine.evaluate(smallBatch(1)), isLost);
  assert.is(engine.threads, 1);
  engine.dispose();
});

function isLost(error: unknown): boolean {
  return error instanceof PlmError && error.code === "THREAD_LOST";
}

test.run();
