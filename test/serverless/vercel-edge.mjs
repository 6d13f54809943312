// examples/vercel-edge in the edge runtime, bundled as `vercel build` does: wasm is compiled before,
// and nothing is later.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EdgeRuntime, runServer } from "edge-runtime";
import { runChecks } from "../runtimes/checks.mjs";
import { bundleScript } from "../runtimes/worker-modules.mjs";
import { answerChecks } from "./answers.mjs";
import { deploy, MODEL, startSite } from "./deployment.mjs";
import { expectedIn } from "./processes.mjs";

const OPTIONS = { contextLength: 512, cacheTokens: 1024, maxSequences: 2 };

const site = await startSite(await readFile(MODEL));
const { code, modules } = await bundleScript(join(deploy("vercel-edge"), "api/index.js"));
const runtime = new EdgeRuntime({
  initialCode: `${code}
addEventListener("fetch", (event) => event.respondWith(example.default(event.request)));`,
  codeGeneration: { strings: false, wasm: false },
  extend: (context) => {
    Object.assign(context, { process: { env: { MODEL_URL: site.url } } });
    for (const [name, bytes] of modules) context[name] = new WebAssembly.Module(bytes);
    return context;
  },
});
const server = await runServer({ runtime, host: "127.0.0.1", port: 0 });
const { failed } = await runChecks(
  answerChecks({
    ask: (path, init) => fetch(new URL(path, server.url), init),
    addModel: site.addModel,
    expected: expectedIn([process.execPath], { variant: "simd", ...OPTIONS }),
  }),
);
site.close();
process.exit(failed === 0 ? 0 : 1);
