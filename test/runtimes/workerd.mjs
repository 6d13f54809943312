// The conformance checks and examples/worker in workerd, bundled by esbuild as wrangler does.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { FormData, Miniflare } from "miniflare";
import { expectedText, MODEL, PROMPT, runChecks, SAVED } from "./checks.mjs";

const QUERY = `?${new URLSearchParams({ prompt: PROMPT })}`;

/** Keeps imports of wasm in the bundle, as modules that the runtime compiles. */
function wasmModules(modules) {
  return {
    name: "wasm",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /\.wasm$/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (pluginData === "resolving") return undefined;
        const found = await resolve(path, { kind, resolveDir, pluginData: "resolving" });
        if (found.errors.length > 0) return { errors: found.errors };
        const contents = await readFile(found.path);
        modules.push({ type: "CompiledWasm", path: "kernels.wasm", contents });
        return { path: "./kernels.wasm", external: true };
      });
    },
  };
}

/** A Worker from its entry file, in the form that Miniflare takes. */
async function bundle(entry) {
  const modules = [];
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    plugins: [wasmModules(modules)],
    logLevel: "warning",
  });
  const [{ text }] = outputFiles;
  return [{ type: "ESModule", path: "worker.js", contents: text }, ...modules];
}

/** Starts a Worker without network access, uses it and ends it. */
async function withWorker(entry, use) {
  const miniflare = new Miniflare({
    modules: await bundle(entry),
    compatibilityDate: "2026-07-01",
    r2Buckets: ["MODELS"],
    cf: false,
  });
  try {
    await use(miniflare);
  } finally {
    await miniflare.dispose();
  }
}

await runChecks({
  "the Worker answers": (counts) =>
    withWorker("worker.mjs", async (miniflare) => {
      const body = new FormData();
      for (const [name, url] of Object.entries({ file: MODEL, saved: SAVED })) {
        body.set(name, new Blob([await readFile(url)]), name);
      }
      const response = await miniflare.dispatchFetch("http://localhost/", { method: "POST", body });
      assert.equal(response.status, 200);
      const { lines, passed, failed } = await response.json();
      for (const line of lines) console.log(line);
      counts.passed += passed;
      counts.failed += failed;
    }),
  "examples/worker": () =>
    withWorker("../../examples/worker/worker.js", async (miniflare) => {
      const ask = async (query) => {
        const response = await miniflare.dispatchFetch(`http://localhost/${query}`);
        return [response.status, await response.text()];
      };
      assert.equal((await ask(""))[0], 400);
      assert.equal((await ask(QUERY))[0], 503);
      const bucket = await miniflare.getR2Bucket("MODELS");
      await bucket.put("model.gguf", await readFile(MODEL));
      const answers = [1, 2].map(() => ask(QUERY));
      const expected = [200, await expectedText(MODEL, 48, { variant: "simd" })];
      assert.deepEqual(await Promise.all(answers), [expected, expected]);
      assert.deepEqual(await ask(QUERY), expected);
    }),
});
