// Writes build/node: the package's entries for Node as bundles, since importing hundreds of modules
// takes longer than loading the model that ships. Names and layout stay, for stack traces and
// because the entries find each other by path.
import { rmSync } from "node:fs";
import { build } from "esbuild";

const ENTRIES = [
  "index",
  "kernels/index",
  "redis/index",
  "server/index",
  "threads/node",
  "worker/node",
  "ai-sdk/index",
  "prompt-api/index",
];

rmSync("build/node", { recursive: true, force: true });
await build({
  entryPoints: ENTRIES.map((name) => ({ in: `build/src/${name}.js`, out: name })),
  outdir: "build/node",
  bundle: true,
  splitting: true,
  // As deep as src/platform, which names the scripts of threads and workers relative to itself.
  chunkNames: "chunks/[hash]",
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  logLevel: "warning",
  // Modules of types only.
  logOverride: { "ignored-bare-import": "silent" },
});
