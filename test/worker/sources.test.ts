/** What a model in a worker loads from, what its options may be, and what the errors say. */
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type LoadModelOptions, loadModel, type ModelSource, PlmError } from "../../src/index.js";
import { serveFiles } from "../sources/support/server.js";
import { codeOf, FILE, loadRemote, sourceOf, watchRejections } from "./support/both.js";

const unhandled = watchRejections();
let folder: string;
let path: string;
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), "plm-worker-sources-"));
  path = join(folder, "model.gguf");
  writeFileSync(path, FILE);
});
test.after(() => {
  rmSync(folder, { recursive: true });
  assert.equal(unhandled, []);
});

/** The file in pieces. */
async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < FILE.length; at += 10_000) yield FILE.slice(at, at + 10_000);
}

async function checkLoads(name: string, source: ModelSource, options?: LoadModelOptions) {
  const model = await loadModel(source, { threads: 1, worker: true, ...options });
  const session = model.createSession();
  await session.evaluate([1, 2, 3]);
  assert.is(session.length, 3, name);
  model.dispose();
}

test("every kind of source", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(FILE.length));
  shared.set(FILE);
  const server = await serveFiles({ "/m.gguf": FILE });
  const handle = await open(path);
  const sources: Record<string, () => ModelSource | Promise<ModelSource>> = {
    path: () => path,
    "file: URL": () => pathToFileURL(path),
    "http: URL": () => `${server.url}m.gguf`,
    bytes: () => FILE,
    "shared bytes": () => shared,
    Blob: () => new Blob([FILE]),
    File: () => new File([FILE], "model.gguf"),
    "blob of a file": () => openAsBlob(path),
    "file handle": () => handle,
    stream: () => new Blob([FILE]).stream(),
    iterable: () => pieces(),
    Response: () => fetch(`${server.url}m.gguf`),
    ByteSource: () => sourceOf(),
    "an array": () => [FILE],
  };
  for (const [name, create] of Object.entries(sources)) await checkLoads(name, await create());
  let calls = 0;
  await checkLoads("fetch", `${server.url}m.gguf`, {
    fetch: (url, init) => {
      calls++;
      return fetch(url, init);
    },
  });
  assert.ok(calls > 0, "the caller's fetch is called");
  await handle.close();
  await server.close();
});

test("bytes are read in pieces, one read at a time", async () => {
  let longest = 0;
  let most = 0;
  let reading = 0;
  const { read } = sourceOf();
  await checkLoads(
    "counted",
    sourceOf({
      async read(offset, target, signal) {
        most = Math.max(most, ++reading);
        longest = Math.max(longest, target.length);
        await new Promise((resolve) => setTimeout(resolve, 1));
        reading--;
        return read(offset, target, signal);
      },
    }),
  );
  assert.is(most, 1);
  assert.ok(longest <= 4 << 20);
});

test("what a source throws is what loading rejects with", async () => {
  class OwnError extends Error {}
  const own = new OwnError("mine");
  let closed = 0;
  const close = async (): Promise<void> => {
    closed++;
  };
  for (const thrown of [own, "a text", undefined, new PlmError("UNREADABLE_FILE", "gone")]) {
    for (const from of [0, 5_000]) {
      const { read } = sourceOf();
      const source = sourceOf({
        close,
        async read(offset, target) {
          if (offset >= from) throw thrown;
          return read(offset, target);
        },
      });
      const rejected = await loadModel(source, { worker: true, threads: 1 }).then(
        () => "loaded",
        (error: unknown) => error,
      );
      assert.is(rejected, thrown);
    }
  }
  assert.is(closed, 8);
});

test("restoring reads its source as loading does", async () => {
  const model = await loadRemote({ cacheTokens: 1024 });
  const session = model.createSession();
  await session.evaluate([1, 2, 3]);
  const saved = await session.save();
  const expected = await session.evaluate([4]);
  for (const source of [saved, new Blob([saved]), new Blob([saved]).stream()]) {
    const restored = await model.restoreSession(source);
    assert.equal([...restored.tokens], [1, 2, 3]);
    assert.equal(await restored.evaluate([4]), expected);
    restored.dispose();
  }
  const damaged = saved.slice();
  damaged[saved.length - 5] ^= 1;
  assert.is(await codeOf(model.restoreSession(damaged)), "INVALID_FILE");
  assert.is(await codeOf(model.restoreSession([saved, saved])), "INVALID_ARGUMENT");
  assert.is(await codeOf(model.restoreSession(saved, { signal: 5 as never })), "INVALID_ARGUMENT");
  const reason = new Error("no more");
  const aborted = AbortSignal.abort(reason);
  assert.is(await codeOf(model.restoreSession(saved, { signal: aborted })), reason);
  const controller = new AbortController();
  const restoring = model.restoreSession(saved, { signal: controller.signal });
  controller.abort(reason);
  assert.is(await codeOf(restoring), reason);
  session.dispose();
  const last = model.createSession();
  await last.evaluate([1]);
  last.dispose();
  await model.readWeights();
  assert.is(model.pagesInUse, 0);
  model.dispose();
});

test("files and options are refused as they are without a worker", async () => {
  const bad: [ModelSource, LoadModelOptions][] = [
    [new Uint8Array(100), {}],
    [FILE.slice(0, -64), {}],
    ["no-such-file.gguf", {}],
    ["", {}],
    [5 as never, {}],
    [[], {}],
    [FILE, { contextLength: 0 }],
    [FILE, { cacheType: "i3" as never }],
    [FILE, { threads: 1.5 }],
    [FILE, { threadScript: 5 as never }],
    [FILE, { wasm: {} as never }],
    [FILE, { wasm: new Uint8Array(5) }],
    [FILE, { headers: 5 as never }],
    [FILE, { fetch: 5 as never }],
    [FILE, { onProgress: 5 as never }],
    [FILE, { signal: 5 as never }],
    [FILE, { memoryLimitBytes: 1000 }],
    [FILE, null as never],
  ];
  for (const [source, options] of bad) {
    const errors: PlmError[] = [];
    for (const worker of [false, true]) {
      const loading = loadModel(source, options && { threads: 1, ...options, worker });
      errors.push((await loading.catch((error: PlmError) => error)) as PlmError);
    }
    const [local, remote] = errors.map((error) => {
      assert.instance(error, PlmError);
      const { code, message, argument, cause } = error;
      return [code, message, argument, (cause as Error | undefined)?.message];
    });
    assert.equal(remote, local);
  }
});

test("options that cannot be sent are named", async () => {
  for (const [name, value] of Object.entries({
    ...{ contextLength: () => 5, cacheType: Symbol("i16"), threads: { valueOf: () => 1 } },
    ...{ wasm: () => 5, threadScript: () => 5, worker: {}, prefixCache: new Proxy({}, {}) },
  })) {
    const error = await loadRemote({ [name]: value } as never).catch((thrown) => thrown);
    assert.is(error.code, "INVALID_ARGUMENT", name);
    assert.is(error.argument, name);
    assert.ok(error.message.startsWith(`${name}: expected `), error.message);
  }
  // What the package does not know does not matter.
  (await loadRemote({ unknown: () => 5 } as never)).dispose();
});

test("progress arrives, and what its callback throws ends loading", async () => {
  const seen: number[] = [];
  const model = await loadRemote({ onProgress: (p) => seen.push(p.loadedBytes / p.totalBytes) });
  model.dispose();
  assert.is(seen.at(-1), 1);
  assert.equal(
    [...seen].sort((a, b) => a - b),
    seen,
  );
  const thrown = new Error("no");
  const onProgress = (): void => {
    throw thrown;
  };
  assert.is(await codeOf(loadRemote({ onProgress })), thrown);
});

test("an abort ends loading at any time, with its reason", async () => {
  const reason = { because: "enough" };
  assert.is(await codeOf(loadRemote({ signal: AbortSignal.abort(reason) })), reason);
  for (const ms of [0, 5, 15, 40, 60]) {
    const controller = new AbortController();
    const loading = loadRemote({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), ms);
    const found = await codeOf(loading);
    assert.ok(found === reason || found === "no error", `${ms} ms`);
    if (found === "no error") (await loading).dispose();
  }
  // A source that never answers and does not look at its signal.
  const controller = new AbortController();
  const source = sourceOf({ read: () => new Promise(() => undefined) });
  const loading = loadModel(source, { worker: true, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 100);
  assert.is(await codeOf(loading), reason);
});

test.run();
