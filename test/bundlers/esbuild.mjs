// esbuild, which leaves workers' files out.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { assertAdvice, assertThreads, MODEL_PATH, run } from "./app.mjs";
import { lookInto } from "./chromium.mjs";

/** Builds entries as ESM; returns their folder. */
async function bundle({ root, out }, entryPoints, options) {
  const outdir = join(out, "esbuild");
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    bundle: true,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    logLevel: "warning",
    ...options,
  });
  return outdir;
}

export default (app, expected) => ({
  "esbuild --platform=node": async () => {
    const entries = ["main.mjs", "plain.mjs", "plm-thread.mjs", "plm-worker.mjs"];
    const folder = await bundle(app, entries, { platform: "node" });
    const find = async (name) =>
      JSON.parse(await run(process.execPath, [join(folder, name), MODEL_PATH]));
    assertThreads(await find("main.mjs"), expected);
    assertAdvice(await find("plain.mjs"), expected);
  },
  "esbuild --external:plm-wasm": async () => {
    const options = { platform: "node", external: ["plm-wasm"] };
    const folder = await bundle({ ...app, out: app.root }, ["plain.mjs"], options);
    const path = join(folder, "plain.mjs");
    assertThreads(JSON.parse(await run(process.execPath, [path, MODEL_PATH])), expected);
  },
  "esbuild for Node, as CommonJS": async () => {
    const outExtension = { ".js": ".cjs" };
    const options = { platform: "node", format: "cjs", outExtension, logLevel: "error" };
    const folder = await bundle(app, ["plain.mjs"], options);
    const path = join(folder, "plain.cjs");
    assertAdvice(JSON.parse(await run(process.execPath, [path, MODEL_PATH])), expected);
  },
  "esbuild for a page": async () => {
    const entries = ["page.mjs", "page-main.mjs", "plm-thread.mjs", "plm-worker.mjs"];
    const folder = await bundle(app, entries, { target: "es2022" });
    for (const name of ["index.html", "main.html"]) {
      await copyFile(join(app.root, name), join(folder, name));
    }
    assertThreads(await lookInto(folder, "main.html"), expected);
    assertAdvice(await lookInto(folder), expected);
  },
});
