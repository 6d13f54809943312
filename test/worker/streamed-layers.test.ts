/** Layers that a model in a worker streams, from sources on either side. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, PlmError } from "../../src/index.js";
import { serveFiles } from "../sources/support/server.js";
import { codeOf, FILE, inBoth, sourceOf, watchRejections } from "./support/both.js";

const unhandled = watchRejections();
let folder: string;
let path: string;
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), "plm-worker-layers-"));
  path = join(folder, "model.gguf");
  writeFileSync(path, FILE);
});
test.after(() => {
  rmSync(folder, { recursive: true });
  assert.equal(unhandled, []);
});

test("streamed layers are read wherever the source is, and closed in the end", async () => {
  const expected = await inBoth((model) => model.createSession().evaluate([1, 2, 3]));
  const handle = await open(path);
  let closed = 0;
  let reads = 0;
  const { read } = sourceOf();
  const counted = sourceOf({
    close: async () => void closed++,
    read: (offset, target, signal) => {
      reads++;
      return read(offset, target, signal);
    },
  });
  for (const source of [path, new Blob([FILE]), handle, FILE, counted]) {
    const options = { residentLayers: 1, worker: true, threads: 1, variant: "simd" } as const;
    const model = await loadModel(source, options);
    assert.is(model.plan.weights.streamed.length, 2);
    const loaded = reads;
    const session = model.createSession();
    assert.equal(await session.evaluate([1, 2, 3]), expected);
    if (source === counted) assert.ok(reads > loaded && closed === 0);
    model.dispose();
    assert.is(await codeOf(session.evaluate([1])), "DISPOSED");
  }
  while (closed === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await handle.close();
});

test("layers are not streamed over a network", async () => {
  const server = await serveFiles({ "/m.gguf": FILE });
  for (const worker of [false, true]) {
    const loading = loadModel(`${server.url}m.gguf`, { residentLayers: 1, worker });
    assert.is(await codeOf(loading), "INVALID_ARGUMENT");
  }
  await server.close();
});

test("a read that fails in a pass: the error says the same, and the session goes on", async () => {
  const { read } = sourceOf();
  let failure: unknown;
  const source = sourceOf({
    read: (offset, target) => (failure ? Promise.reject(failure) : read(offset, target)),
  });
  const options = { residentLayers: 1, worker: true, threads: 1, variant: "simd" } as const;
  const model = await loadModel(source, options);
  const session = model.createSession();
  const expected = await session.evaluate([1, 2, 3]);
  session.truncate(0);
  failure = new PlmError("UNREADABLE_FILE", "gone");
  assert.is(await codeOf(session.evaluate([1, 2, 3])), "UNREADABLE_FILE");
  failure = undefined;
  assert.equal(await session.evaluate([1, 2, 3]), expected);
  model.dispose();
});

test.run();
