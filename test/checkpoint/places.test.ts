/** Folders behind URLs and on the hub. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inspectModel, loadModel, type ModelSource } from "../../src/index.js";
import { assertRejects } from "../model/support/engine.js";
import { tinyModel } from "../model/support/tiny.js";
import { serveFiles } from "../sources/support/server.js";
import { serveHub } from "../store/support/hub.js";
import { removeOwnStores, useOwnStore } from "../store/support/own-store.js";
import { makeCheckpoint } from "./support/checkpoint.js";
import { asFileList } from "./support/open.js";

test.after(() => {
  delete process.env.HF_ENDPOINT;
  removeOwnStores();
});

const files = await makeCheckpoint(tinyModel({ type: "BF16" }), { shards: 2 });
const expected = await logitsOf(asFileList(files));

async function logitsOf(source: ModelSource, worker = false): Promise<Float32Array> {
  const options = { threads: 1, variant: "simd", quantize: "q8_0", worker } as const;
  const model = await loadModel(source, options);
  const logits = await model.createSession().evaluate([1, 2, 3]);
  model.dispose();
  return logits;
}

test("a list of URLs", async () => {
  const served = Object.fromEntries(Array.from(files, ([name, file]) => [`/m/${name}`, file]));
  const server = await serveFiles(served);
  try {
    const urls = Array.from(files.keys(), (name) => new URL(`m/${name}?download=true`, server.url));
    assert.equal(await logitsOf(urls), expected);
    assert.equal(await logitsOf(urls, true), expected);
  } finally {
    await server.close();
  }
  const plain = await serveFiles(served, { ranges: false });
  try {
    const shard = "model-00001-of-00002.safetensors";
    const index = "model.safetensors.index.json";
    const names = ["config.json", "tokenizer_config.json", "tokenizer.json", index, shard];
    const urls = names.map((name) => new URL(`m/${name}`, plain.url));
    await assertRejects(inspectModel(urls), "UNSUPPORTED_FILE", shard, "any byte");
  } finally {
    await plain.close();
  }
});

test("a repository of the hub is downloaded, kept and read again", async () => {
  const hub = await serveHub(Object.fromEntries(files));
  process.env.HF_ENDPOINT = hub.url.href;
  useOwnStore();
  try {
    assert.equal(await logitsOf("hf:owner/repo"), expected);
    const requests = hub.requests.length;
    assert.equal(await logitsOf("hf:owner/repo"), expected);
    assert.is(hub.requests.length, requests, "from the store");
    assert.equal(await logitsOf("hf:owner/repo", true), expected);
    assert.not(hub.requests.some((request) => request.includes("README")));
  } finally {
    await hub.close();
  }
});

test.run();
