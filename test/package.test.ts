/** The package as Node finds it by its name: bundles of what the other tests import in files. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as source from "../src/index.js";
import type * as server from "../src/server/index.js";

const MODEL = "models/plm-test.gguf";
const OPTIONS = { maxTokens: 20, temperature: 0 };

// Those that are there may be of an earlier build.
execFileSync(process.execPath, ["scripts/bundle-node.mjs"]);
const bundles = pathToFileURL(`${resolve("build/node")}/`);

/** An entry of the package, by its name. */
async function entry<Exports>(name: string): Promise<Exports> {
  assert.ok(import.meta.resolve(name).startsWith(bundles.href), import.meta.resolve(name));
  return (await import(name)) as Exports;
}

test("the bundle exports what the source does, and both write the same text", async () => {
  const bundle = await entry<typeof source>("plm-wasm");
  assert.equal(Object.keys(bundle).sort(), Object.keys(source).sort());
  const expected = await source.loadModel(MODEL, { variant: "simd" });
  for (const worker of [false, true]) {
    // The bundle finds its own scripts of threads and workers.
    const model = await bundle.loadModel(MODEL, { variant: "simd", threads: 2, worker });
    assert.equal([model.threads, model.threadFailure], [2, undefined]);
    const texts = await Promise.all(
      [model, expected].map((each) => each.generate("Once upon", OPTIONS).result()),
    );
    assert.is(texts[0].text, texts[1].text);
    model.dispose();
  }
  expected.dispose();
});

test("the handler takes the bundle's models", async () => {
  const { loadModel } = await entry<typeof source>("plm-wasm");
  const { createHandler } = await entry<typeof server>("plm-wasm/server");
  const model = await loadModel(MODEL);
  const handler = createHandler({ model });
  await Promise.resolve();
  const body = JSON.stringify({ prompt: "Once upon", max_tokens: 20, temperature: 0 });
  const path = "http://localhost/v1/completions";
  const response = await handler(new Request(path, { method: "POST", body }));
  const { choices } = (await response.json()) as { choices: { text: string }[] };
  assert.is(choices[0].text, await model.generate("Once upon", OPTIONS).text());
  model.dispose();
});

/** The files of a bundle that are loaded with an entry, and what they import besides. */
function loadedWith(file: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file) || !file.startsWith("/")) return seen.add(file);
  seen.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, name] of text.matchAll(/^(?:import|export)\b[^;]*?"([^"]+)";/gm)) {
    loadedWith(name.startsWith(".") ? resolve(dirname(file), name) : name, seen);
  }
  return seen;
}

test("the core loads neither the grammar nor what servers need", () => {
  const grammar = "// build/src/grammar/automaton.js";
  const has = (entry: string, what: (file: string) => boolean): boolean =>
    [...loadedWith(resolve("build/node", entry))].some(what);
  const hasGrammar = (file: string): boolean =>
    file.startsWith("/") && readFileSync(file, "utf8").includes(grammar);
  for (const name of ["index.js", "worker/node.js", "ai-sdk/index.js", "prompt-api/index.js"]) {
    assert.not(has(name, hasGrammar), `${name} loads the grammar`);
    for (const other of ["hono", "ioredis", "bullmq"]) {
      assert.not(
        has(name, (file) => file.includes(other)),
        `${name} loads ${other}`,
      );
    }
  }
  // Both would be found: they are there.
  assert.ok(has("server/index.js", (file) => file === "hono"));
  const chunks = readdirSync("build/node/chunks", { recursive: true, encoding: "utf8" });
  assert.ok(chunks.some((chunk) => hasGrammar(resolve("build/node/chunks", chunk))));
});

test("entries share their code: an error of one is an error of the other", async () => {
  const { PlmError } = await entry<typeof source>("plm-wasm");
  const { loadKernels } = await entry<typeof import("../src/kernels/index.js")>("plm-wasm/kernels");
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  try {
    await loadKernels(memory, { binary: Uint8Array.of(1, 2, 3) });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, PlmError);
  }
});

test.run();
