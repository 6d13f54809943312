// A Worker as wrangler deploys it: bundled by esbuild, its wasm as modules beside.
import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

/** The example's and the checks'. */
const COMPATIBILITY_DATE = "2026-07-01";

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

/** A Worker from the path of its entry file, in the form that Miniflare takes. */
export async function bundleModules(entry) {
  const modules = [];
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
    plugins: [wasmModules(modules)],
    logOverride: { "ignored-bare-import": "silent" },
    logLevel: "warning",
  });
  const [{ text }] = outputFiles;
  return [{ type: "ESModule", path: "worker.js", contents: text }, ...modules];
}

/** Starts a Worker without network access; its caller disposes of it. */
export async function startWorker(entry, options) {
  return startModules(await bundleModules(entry), options);
}

/** The same of a Worker that is bundled already. */
export function startModules(modules, options = {}) {
  return new Miniflare({ modules, compatibilityDate: COMPATIBILITY_DATE, cf: false, ...options });
}

/**
 * A function for Vercel's edge runtime as a script that defines `example`, and the wasm that it
 * finds under global names.
 */
export async function bundleScript(entry) {
  const modules = [];
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "example",
    platform: "browser",
    target: "es2022",
    plugins: [wasmGlobals(modules)],
    logOverride: { "ignored-bare-import": "silent", "empty-import-meta": "silent" },
    logLevel: "warning",
  });
  return { code: outputFiles[0].text, modules };
}

/** Makes imports of `.wasm?module` globals. */
function wasmGlobals(modules) {
  return {
    name: "wasm",
    setup({ onLoad, onResolve, resolve }) {
      onResolve({ filter: /\.wasm\?module$/ }, async ({ path, kind, resolveDir }) => {
        const found = await resolve(path.replace("?module", ""), { kind, resolveDir });
        return { errors: found.errors, path: found.path, namespace: "wasm" };
      });
      onLoad({ filter: /./, namespace: "wasm" }, async ({ path }) => {
        const name = `wasm_${modules.length}`;
        modules.push([name, await readFile(path)]);
        return { contents: `export default ${name};` };
      });
    },
  };
}
