// One cold start of examples/vercel-edge in an edge runtime of its own: node edge-once.mjs MODEL.
// Counted: evaluating the function's script, the download of the model from this process, loading
// it, the first text. Not counted: the start of Node, making the runtime's globals, compiling wasm.
import { readFile } from "node:fs/promises";
import { startSite } from "../../test/serverless/deployment.mjs";
import { bundleEdge, createEdge } from "../../test/serverless/edge.mjs";
import { firstTextMs } from "./answers.mjs";

const site = await startSite(await readFile(process.argv[2]));
site.addModel();
const { code, modules } = await bundleEdge();
const runtime = createEdge(modules, { MODEL_URL: site.url });
const ask = (path, init) => runtime.dispatchFetch(`http://localhost${path}`, init);
const startMs = performance.now();
runtime.evaluate(code);
const importMs = performance.now() - startMs;
const allMs = await firstTextMs(ask, "cold", startMs);
const warmMs = await firstTextMs(ask, "warm");
site.close();
console.log(JSON.stringify({ importMs, allMs, warmMs, variant: "simd", threads: 1 }));
process.exit(0);
