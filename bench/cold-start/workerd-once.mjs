// One cold start of examples/cloudflare-worker in a workerd of its own: node workerd-once.mjs
// MODEL. Counted: evaluating the Worker's script, reading the model from the bucket, loading it,
// the first text, and what the requests take to workerd and back. Not counted: the start of
// workerd, which parses scripts and compiles wasm.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleModules, startModules } from "../../test/runtimes/worker-modules.mjs";
import { deploy } from "../../test/serverless/deployment.mjs";
import { firstTextMs } from "./answers.mjs";

const [example, ...others] = await bundleModules(join(deploy("cloudflare-worker"), "worker.js"));
const entry = await readFile(fileURLToPath(new URL("workerd-entry.mjs", import.meta.url)), "utf8");
const miniflare = startModules(
  [
    { type: "ESModule", path: "worker.js", contents: entry },
    { ...example, path: "example.js" },
    ...others,
  ],
  { compatibilityFlags: ["enable_request_signal"], r2Buckets: ["MODELS"] },
);
const model = await readFile(process.argv[2]);
await (await miniflare.getR2Bucket("MODELS")).put("model.gguf", model);
const origin = await miniflare.ready;
const ask = (path, init) => fetch(new URL(path, origin), init);
await (await ask("/ready")).text();
const allMs = await firstTextMs(ask, "cold");
const warmMs = await firstTextMs(ask, "warm");
await miniflare.dispose();
console.log(JSON.stringify({ allMs, warmMs, variant: "simd", threads: 1 }));
