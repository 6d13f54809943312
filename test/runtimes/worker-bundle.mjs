// The script of a model's worker as one file: workers have no import map.
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../../build/src/worker/${path}`, import.meta.url));

/** Writes it where it finds the script of the threads, until the process ends. */
export async function bundleWorker() {
  const outfile = at("bundle.mjs");
  process.on("exit", () => rmSync(outfile, { force: true }));
  await build({
    entryPoints: [at("web.js")],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
  });
}
