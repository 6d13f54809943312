/** How models' threads start and end, and what they leave. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import { type LoadedPlm, loadPlm } from "../../src/engine/load.js";
import type { Session } from "../../src/engine/session.js";
import { PlmError } from "../../src/errors.js";
import { openGguf } from "../../src/format/gguf.js";
import { MemoryPlan } from "../../src/kernels/arena.js";
import { Member } from "../../src/kernels/team.js";
import { openSources } from "../../src/sources/source.js";
import { withLostJoin } from "../kernels/support/lost-join.js";
import { assertRejects, engineLogits, loadEngine, rejection } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";
import { countsThreads, osThreads, untilThreads } from "../support/os-threads.js";

// More threads than the machine may have processors.
let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

test("a model that lost a thread goes on alone once its threads have ended", async () => {
  const file = tinyModel({ type: "Q8_0" });
  // Room for several: both are in the batch that is lost.
  const model = await loadEngine(file, { threads: 3, cacheTokens: 4 * SMALL_DIMS.contextLength });
  const session = model.createSession();
  await session.evaluate([1, 2]);
  const used = model.pagesInUse;
  // The others are refused work until all are known to have ended.
  await withLostJoin(5, async () => {
    const lost = assertRejects(session.evaluate([5, 6, 7]), "THREAD_LOST", "one is lost");
    const refused = assertRejects(model.createSession().evaluate([5]), "THREAD_LOST");
    await Promise.all([lost, refused]);
    // A thread that is only late may still write to pages: nobody else gets any.
    await assertRejects(model.restoreSession(new Uint8Array(64)), "THREAD_LOST");
  });
  assert.equal([session.length, model.pagesInUse], [2, used]);
  const logits = await evaluateOnceAble(session, [5, 6, 7]);
  const alone = (await loadEngine(file)).createSession();
  await alone.evaluate([1, 2]);
  assert.equal(logits, await alone.evaluate([5, 6, 7]));
  assert.is(model.threads, 1);
  session.dispose();
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

/** What evaluating comes to when THREAD_LOST is over, some seconds at most. */
async function evaluateOnceAble(session: Session, tokens: number[]): Promise<Float32Array> {
  for (let tries = 0; tries < 100; tries++) {
    const found = await session.evaluate(tokens).catch((error: PlmError) => error);
    if (!(found instanceof PlmError)) return found;
    assert.is(found.code, "THREAD_LOST");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.unreachable("the threads do not end") as never;
}

(countsThreads ? test : test.skip)(
  "threads return by themselves, however their model ends",
  async () => {
    const file = tinyModel({ type: "Q8_0" });
    // A first model makes the engine start its own threads.
    (await loadEngine(file, { threads: 3 })).dispose();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = osThreads();
    const { terminate } = Worker.prototype;
    let terminated = 0;
    Worker.prototype.terminate = function (this: Worker): Promise<number> {
      terminated++;
      return terminate.call(this);
    };
    const used = await loadEngine(file, { threads: 4 });
    await engineLogits(used, tinyTokens(5), { chunkSize: 1 });
    used.dispose();
    await untilThreads(before);
    await withLostJoin(1, () => assertRejects(loadEngine(file, { threads: 3 }), "THREAD_LOST"));
    await untilThreads(before);
    await assertRejects(loadEngine(file.slice(0, -64), { threads: 3 }), "INVALID_FILE");
    await untilThreads(before);
    // One of them does not start; the others wait to join.
    const { startThread } = platform;
    platform.startThread = (data) => {
      if ((data as { index: number }).index === 3) throw new Error("no more workers");
      return startThread(data);
    };
    const alone = await loadEngine(file, { threads: 4 });
    platform.startThread = startThread;
    assert.is(alone.threads, 1);
    await untilThreads(before);
    const controller = new AbortController();
    const reason = new Error("enough");
    const loading = loadEngine(file, {
      threads: 3,
      signal: controller.signal,
      onProgress: ({ loadedBytes, totalBytes }) => {
        if (loadedBytes === totalBytes) controller.abort(reason);
      },
    });
    assert.is(await rejection(loading), reason);
    await untilThreads(before);
    assert.is(terminated, 0, "threads that had to be terminated");
    Worker.prototype.terminate = terminate;
  },
);

test("a model that was disposed of is collected before the next is allocated", async () => {
  const file = tinyModel({ type: "Q8_0" });
  const { allocate } = MemoryPlan.prototype;
  const memories: WeakRef<WebAssembly.Memory>[] = [];
  let most = 0;
  MemoryPlan.prototype.allocate = function (this: MemoryPlan, shared?: boolean) {
    most = Math.max(most, memories.filter((memory) => memory.deref() !== undefined).length);
    const memory = allocate.call(this, shared);
    memories.push(new WeakRef(memory));
    return memory;
  };
  try {
    const kept: LoadedPlm[] = [];
    for (let i = 0; i < 6; i++) {
      // 100 MB, never touched; the collection of less may wait.
      const model = await loadEngine(file, { threads: 2, cacheTokens: 8_000 * 64 });
      assert.ok(model.plan.memory.bytes() > 64 << 20);
      const session = model.createSession();
      await session.evaluate([1, 2, 3]);
      model.dispose();
      // A reference to a disposed model does not keep its memory.
      kept.push(model);
      await assertRejects(session.evaluate([1]), "DISPOSED");
    }
    assert.is(kept.length, 6);
    assert.is(most, 0, "memories left when another was allocated");
  } finally {
    MemoryPlan.prototype.allocate = allocate;
  }
});

/** Layers for which one thread is always the fastest, below a vocabulary that makes it count. */
const NOT_SMALL = tinyModel({ dims: { ...SMALL_DIMS, vocabSize: 1 << 16 } });

/** A model whose number of threads is left to the package. */
async function loadByChoice(file: Uint8Array<ArrayBuffer>): Promise<LoadedPlm> {
  return loadPlm(await openGguf(await openSources(file)), {});
}

for (const [cause, lateMs] of [
  ["more threads are slower", 0],
  ["the machine is busy", 1_000],
] as const) {
  test(`threads that were tried and do not pay end, or rest: ${cause}`, async () => {
    const { takeLateMs } = Member.prototype;
    const { startThread } = platform;
    let started = 0;
    platform.startThread = (data) => {
      started++;
      return startThread(data);
    };
    Member.prototype.takeLateMs = () => lateMs;
    try {
      const model = await loadByChoice(NOT_SMALL);
      if (lateMs > 0) assert.is(model.threads, started + 1);
      else assert.ok(model.threads < started + 1, `${model.threads} of ${started + 1} threads`);
      model.dispose();
    } finally {
      Member.prototype.takeLateMs = takeLateMs;
      platform.startThread = startThread;
    }
  });
}

test("a clock that stands still starts no more threads than loading does", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plm-test-"));
  const path = join(folder, "model.gguf");
  writeFileSync(path, NOT_SMALL);
  const printed = await runProgram(`
    performance.now = () => 0;
    const url = ${JSON.stringify(resolve("build/src/"))};
    const { loadModel } = await import(url + "/index.js");
    const { default: platform } = await import(url + "/platform/node-imports.js");
    platform.parallelism = () => 64;
    const model = await loadModel(${JSON.stringify(path)}, { variant: "simd" });
    console.log(String(model.threads));
    model.dispose();
  `);
  rmSync(folder, { recursive: true });
  assert.is(printed, "4\n");
});

test("claimed processors start few threads, and none for a small model", async () => {
  const unclaimMany = claimProcessors(64);
  const { startThread } = platform;
  let started = 0;
  platform.startThread = (data) => {
    started++;
    return startThread(data);
  };
  try {
    const small = await loadByChoice(tinyModel({ type: "Q8_0" }));
    assert.equal([started, small.threads, small.threadFailure], [0, 1, undefined]);
    small.dispose();
    const model = await loadByChoice(NOT_SMALL);
    assert.ok(started > 0 && started < 16, `${started} threads were started`);
    assert.ok(model.threads <= started + 1);
    model.dispose();
  } finally {
    platform.startThread = startThread;
    unclaimMany();
  }
});

test("threads beyond the processors do not start, and the reason is reported", async () => {
  const unclaimMost = claimProcessors(2);
  try {
    const model = await loadEngine(tinyModel({ type: "Q8_0" }), { threads: 8 });
    assert.is(model.threads, 2);
    assert.match(model.threadFailure?.message ?? "", "expected at most 2");
    model.dispose();
    const fitting = await loadEngine(tinyModel({ type: "Q8_0" }), { threads: 2 });
    assert.is(fitting.threadFailure, undefined);
    fitting.dispose();
  } finally {
    unclaimMost();
  }
});

test("the reason why threads did not start is reported", async () => {
  const { startThread, hasThreads } = platform;
  platform.startThread = () => {
    throw new Error("no workers here");
  };
  try {
    const model = await loadEngine(tinyModel({ type: "Q8_0" }), { threads: 2 });
    assert.is(model.threads, 1);
    assert.is(model.threadFailure?.message, "no workers here");
    assert.is((await loadEngine(tinyModel(), { threads: 1 })).threadFailure, undefined);
    platform.hasThreads = () => false;
    const unshared = await loadEngine(tinyModel({ type: "Q8_0" }), { threads: 2 });
    assert.match(unshared.threadFailure?.message ?? "", "cross-origin isolated");
    assert.ok((await engineLogits(model, tinyTokens(3))).length > 0);
  } finally {
    Object.assign(platform, { startThread, hasThreads });
  }
});

test("a file whose weights cannot be read leaves no thread behind", async () => {
  const file = tinyModel({ type: "Q8_0" });
  const cut = file.slice(0, file.length - 64);
  await assertRejects(loadEngine(cut, { threads: 2 }), "INVALID_FILE");
});

/** The output of a process that runs this program. Fails if it does not end by itself. */
async function runProgram(program: string): Promise<string> {
  const args = ["--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const [code, signal] = await new Promise<[number | null, string | null]>((done) => {
    child.on("close", (...ended) => done(ended));
  });
  clearTimeout(late);
  assert.is(signal, null, "the process did not end by itself");
  assert.is(code, 0);
  return printed;
}

test("threads keep no process alive, disposed of or not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plm-threads-"));
  const path = join(folder, "model.gguf");
  writeFileSync(path, tinyModel({ type: "Q8_0" }));
  try {
    for (const end of ["model.dispose();", ""]) {
      const printed = await runProgram(`
        import { loadModel } from ${JSON.stringify(resolve("build/src/index.js"))};
        const model = await loadModel(${JSON.stringify(path)}, { threads: 2 });
        const before = model.threads;
        const session = model.createSession();
        await session.evaluate([1, 2, 3]);
        ${end}
        console.log(before + " " + model.threads);
      `);
      assert.match(printed, end === "" ? /^([12]) \1\n$/ : /^[12] 1\n$/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
