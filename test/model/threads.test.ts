/** Models in threads: the same logits as on one, and threads that begin and end as they should. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import { PlmError } from "../../src/errors.js";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { openGguf } from "../../src/format/gguf.js";
import { openSources } from "../../src/format/source.js";
import { kernelsBytes } from "../../src/kernels/load.js";
import { Member } from "../../src/kernels/team.js";
import { CACHE_TYPES } from "../../src/model/cache.js";
import { type LoadOptions, loadPlm, type Variant } from "../../src/model/load.js";
import { PRECISIONS } from "../../src/model/precision.js";
import { hasRelaxed } from "../kernels/wasm.js";
import { assertRejects, engineLogits, loadEngine, rejection } from "./engine.js";
import { K_DIMS, Q8_CACHE_DIMS, SMALL_DIMS, tinyModel, tinyTokens } from "./tiny.js";

const isRelaxed = await hasRelaxed("its models in threads");
const variants: readonly Variant[] = isRelaxed ? ["simd", "relaxed"] : ["simd"];
const TYPES = Object.keys(TENSOR_TYPES) as TensorType[];

/** Fails unless `threads` threads give the logits of one, bit for bit: decoded and in chunks. */
async function assertSame(
  file: Uint8Array,
  threads: number,
  options: LoadOptions,
  tokens: readonly number[],
): Promise<void> {
  const alone = await loadEngine(file, options);
  const together = await loadEngine(file, { ...options, threads });
  assert.is(together.threads, threads, "threads that started");
  for (const chunkSize of [1, 7, tokens.length]) {
    const [expected, actual] = await Promise.all([
      engineLogits(alone, tokens, { chunkSize }),
      engineLogits(together, tokens, { chunkSize }),
    ]);
    assert.ok(expected.every((row) => row.every(Number.isFinite)));
    assert.equal(actual, expected, `${threads} threads, chunks of ${chunkSize}`);
  }
  assert.equal(together.sparsity, alone.sparsity);
  together.dispose();
}

for (const variant of variants) {
  for (const [i, type] of TYPES.entries()) {
    test(`${variant}: any number of threads gives the same logits: ${type}`, async () => {
      const dims = type.endsWith("_K") ? K_DIMS : Q8_CACHE_DIMS;
      const file = tinyModel({ dims, type, tied: i % 2 === 0 });
      const tokens = tinyTokens(23);
      const precision = PRECISIONS[i % 3];
      for (const [j, attention] of (["absorbed", "expanded"] as const).entries()) {
        const threads = [2, 3, 5][(i + j) % 3];
        await assertSame(file, threads, { variant, precision, attention }, tokens);
      }
    });
  }

  test(`${variant}: any number of threads gives the same logits over every cache`, async () => {
    const file = tinyModel({ dims: Q8_CACHE_DIMS, type: "Q8_0" });
    for (const [i, cacheType] of CACHE_TYPES.entries()) {
      for (const attention of ["absorbed", "expanded"] as const) {
        const options = { variant, cacheType, attention };
        await assertSame(file, [2, 3, 5][i % 3], options, tinyTokens(40));
      }
    }
  });
}

test("more threads than there are heads, rows or tokens do no harm", async () => {
  await assertSame(tinyModel({ type: "Q8_0" }), 9, {}, tinyTokens(9));
});

test("loading does not touch what threads wait at", async () => {
  // With a batch of 1 the activations take less than what loading works in.
  const file = tinyModel({ dims: { ...SMALL_DIMS, contextLength: 4 }, type: "Q8_0" });
  await assertSame(file, 3, { batchSize: 1 }, tinyTokens(4));
});

test("two models with threads work at once", async () => {
  const tokens = tinyTokens(30);
  const files = (["Q8_0", "F16"] as const).map((type) => tinyModel({ type }));
  const expected = await Promise.all(
    files.map(async (file) => engineLogits(await loadEngine(file), tokens, { chunkSize: 1 })),
  );
  const models = await Promise.all(files.map((file) => loadEngine(file, { threads: 2 })));
  const actual = await Promise.all(
    models.map((model) => engineLogits(model, tokens, { chunkSize: 1 })),
  );
  assert.equal(actual, expected);
  models[0].dispose();
  assert.is(models[0].threads, 1);
  assert.equal(await engineLogits(models[1], tokens, { chunkSize: 1 }), expected[1]);
  models[1].dispose();
});

test("sessions of one model share its threads", async () => {
  const tokens = tinyTokens(12);
  const file = tinyModel({ type: "Q4_0" });
  const [expected] = await engineLogits(await loadEngine(file), tokens, { chunkSize: 1 });
  const model = await loadEngine(file, { threads: 3, sessions: 3 });
  const results = await Promise.all(
    Array.from({ length: 3 }, () => engineLogits(model, tokens, { chunkSize: 1 })),
  );
  for (const [first] of results) assert.equal(first, expected);
  model.dispose();
});

test("a compiled module imports a memory that is not shared: one thread computes", async () => {
  const file = tinyModel({ type: "Q8_0" });
  const wasm = await WebAssembly.compile(kernelsBytes());
  const model = await loadPlm(await openGguf(await openSources(file)), { wasm, threads: 3 });
  assert.is(model.threads, 1);
  assert.match(model.threadFailure?.message ?? "", "compiled module");
  assert.is(model.variant, "simd");
  const expected = await engineLogits(await loadEngine(file), tinyTokens(8));
  assert.equal(await engineLogits(model, tinyTokens(8)), expected);
});

/** Runs `work` while a thread's join throws, the `nth` time that it is called. */
async function withLostJoin(nth: number, work: () => Promise<void>): Promise<void> {
  const { join } = Member.prototype;
  let calls = 0;
  Member.prototype.join = function (this: Member): void {
    if (this.count > 1 && ++calls === nth) throw new PlmError("THREAD_LOST", "one is lost");
    join.call(this);
  };
  try {
    await work();
  } finally {
    Member.prototype.join = join;
  }
}

test("a model that lost a thread says so from then on", async () => {
  const model = await loadEngine(tinyModel({ type: "Q8_0" }), { threads: 2, sessions: 2 });
  const session = model.createSession();
  await withLostJoin(5, () => assertRejects(session.evaluate([5, 6, 7]), "THREAD_LOST"));
  assert.is(session.length, 0);
  await assertRejects(session.evaluate([5, 6, 7]), "THREAD_LOST", "one is lost");
  await assertRejects(model.createSession().evaluate([5]), "THREAD_LOST");
  model.dispose();
});

/** Threads of this process, JavaScript's and the engine's, as Linux tells them. */
const THREADS = "/proc/self/task";
const osThreads = (): number => readdirSync(THREADS).length;

(existsSync(THREADS) ? test : test.skip)(
  "what fails or is aborted after the weights were read leaves no thread behind",
  async () => {
    const file = tinyModel({ type: "Q8_0" });
    // A first model has the engine start its own threads.
    (await loadEngine(file, { threads: 3 })).dispose();
    const until = async (most: number): Promise<void> => {
      for (let i = 0; osThreads() > most && i < 200; i++)
        await new Promise((r) => setTimeout(r, 10));
      assert.ok(osThreads() <= most, `${osThreads()} threads, ${most} before`);
    };
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = osThreads();
    await withLostJoin(1, () => assertRejects(loadEngine(file, { threads: 3 }), "THREAD_LOST"));
    await until(before);
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
    await until(before);
  },
);

test("why threads did not start is told", async () => {
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

test("the relaxed variant is refused where this runtime has not got it right", async () => {
  const gguf = await openGguf(await openSources(tinyModel()));
  if (isRelaxed) {
    for (const threads of [1, 2]) {
      const model = await loadPlm(gguf, { variant: "relaxed", threads });
      assert.is(model.variant, "relaxed");
      model.dispose();
    }
  } else {
    await assertRejects(loadPlm(gguf, { variant: "relaxed" }), "UNSUPPORTED_RUNTIME");
  }
  const model = await loadPlm(gguf);
  assert.is(model.variant, isRelaxed ? "relaxed" : "simd");
  model.dispose();
  const unknown = loadPlm(gguf, { variant: "avx" as "simd" });
  await assertRejects(unknown, "INVALID_ARGUMENT", "variant: expected simd, relaxed, got avx");
});

/** What a process that runs this program prints. Fails where it does not end by itself. */
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
        const model = await loadModel(${JSON.stringify(path)}, { threads: 3 });
        const before = model.threads;
        const session = model.createSession();
        await session.evaluate([1, 2, 3]);
        ${end}
        console.log(before + " " + model.threads);
      `);
      assert.is(printed, end === "" ? "3 3\n" : "3 1\n");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
