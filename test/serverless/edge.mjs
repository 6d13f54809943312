// examples/vercel-edge for the edge runtime, bundled as `vercel build` does: wasm is compiled then,
// and nothing is later.
import { join } from "node:path";
import { EdgeRuntime } from "edge-runtime";
import { bundleScript } from "../runtimes/worker-modules.mjs";
import { deploy } from "./deployment.mjs";

/** The example as a script and its wasm. */
export async function bundleEdge() {
  const { code, modules } = await bundleScript(join(deploy("vercel-edge"), "api/index.js"));
  const listen =
    'addEventListener("fetch", (event) => event.respondWith(example.default(event.request)));';
  const compiled = modules.map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]);
  return { code: `${code}\n${listen}`, modules: Object.fromEntries(compiled) };
}

/** A runtime of these variables that is yet to evaluate a script. */
export function createEdge(modules, env) {
  return new EdgeRuntime({
    codeGeneration: { strings: false, wasm: false },
    extend: (context) => Object.assign(context, { process: { env } }, modules),
  });
}
