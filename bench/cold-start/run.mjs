// The time from importing the package to the first piece of text, each in a fresh process of its
// runtime, and to that of a second text: medians. In Node, Deno, Bun and a fresh profile of
// Chromium, which gets bundles of esbuild, with the library; the others answer requests with their
// serverless example, timed by the client: workerd-once.mjs, edge-once.mjs and lambda-once.mjs say
// what is counted. The start of the runtime itself never is. Without names, all are measured.
//
//   npm run build && npm ci --prefix bench/peers
//   npm ci --prefix test/runtimes && npm ci --prefix test/serverless
//   npm_config_nodedir=/usr npm ci --prefix test/serverless/lambda-client
//   node bench/cold-start/run.mjs [--runs 10] [--model models/plm-tiny.gguf]
//     [node deno bun chromium workerd edge lambda]
import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { versionOf } from "../../test/runtimes/readme-table.mjs";
import { runtimes } from "../../test/runtimes/runtimes.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "10" },
    model: {
      type: "string",
      default: fileURLToPath(new URL("../../models/plm-tiny.gguf", import.meta.url)),
    },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) {
  throw new Error(`--runs: expected an integer >= 1, got ${values.runs}`);
}

/** Runs one of this folder's scripts in a process of a runtime; its last line has the figures. */
function once(script, name, ...flags) {
  const { program, missing } =
    name === undefined ? { program: process.execPath } : runtimes()[name];
  if (missing !== undefined) throw new Error(`${name}: ${missing}`);
  const path = fileURLToPath(new URL(script, import.meta.url));
  const options = { encoding: "utf8", timeout: LIMIT_MS };
  const output = execFileSync(program, [...flags, path, values.model], options);
  return JSON.parse(output.trimEnd().split("\n").at(-1));
}

/** Writes the package and its threads' script as a bundle each; returns where pages find them. */
async function bundle() {
  const at = (path) => fileURLToPath(new URL(`../../build/${path}`, import.meta.url));
  await build({
    entryPoints: { plm: at("src/index.js"), thread: at("src/threads/web.js") },
    outdir: at("cold-start"),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
  return ["/build/cold-start/plm.js", "/build/cold-start/thread.js"];
}

const LIMIT_MS = 60_000;

/** How long a browser that has shown its first page is busy with its own start. */
const SETTLE_MS = 3_000;

/** In a Chromium of its own. */
async function inChromium(scripts) {
  const { openPage } = await import("../peers/chromium.mjs");
  const { call, close } = await openPage("bench/cold-start/page.html", "coldStart", values.model);
  try {
    await setTimeout(SETTLE_MS);
    return await call("measure", ...scripts);
  } finally {
    await close();
  }
}

/** Runs `start` again and again and prints a row of the medians of its parts. */
async function report(where, start) {
  const starts = [];
  for (let i = 0; i < runs; i++) starts.push(await start());
  const median = (part) => {
    if (starts[0][part] === undefined) return "";
    const sorted = starts.map((each) => each[part]).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const value =
      sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return `${value.toFixed(0)} ms`;
  };
  const threads = [...new Set(starts.map((each) => each.threads))].sort().join(" or ");
  const parts = ["allMs", "importMs", "loadMs", "pieceMs", "warmMs"].map(median);
  console.log(`| ${[where, ...parts, starts[0].variant ?? "", threads].join(" | ")} |`);
}

const DENO_FLAGS = ["run", "--no-remote", "--node-modules-dir=manual", "--allow-all"];
const version = (name) => /\d+(\.\d+)+/.exec(versionOf(runtimes()[name].program))[0];

const STARTS = {
  node: () => report(`Node ${process.versions.node}`, () => once("once.mjs")),
  deno: () => report(`Deno ${version("deno")}`, () => once("once.mjs", "deno", ...DENO_FLAGS)),
  bun: () => report(`Bun ${version("bun")}`, () => once("once.mjs", "bun")),
  chromium: async () => {
    const scripts = await bundle();
    await report("Chromium", () => inChromium(scripts));
  },
  workerd: () => report("workerd", () => once("workerd-once.mjs", "node24")),
  edge: () => report("edge-runtime", () => once("edge-once.mjs", "node24")),
  lambda: () => report("Lambda's client, Node 24", () => once("lambda-once.mjs", "node24")),
};

const names = positionals.length > 0 ? positionals : Object.keys(STARTS);
const unknown = names.find((name) => STARTS[name] === undefined);
if (unknown !== undefined) {
  throw new Error(`expected names of ${Object.keys(STARTS).join(", ")}; got ${unknown}`);
}
console.log(`Medians of ${runs} starts, ${values.model}:\n`);
console.log("| runtime | cold | import | load | first piece | warm | kernels | threads |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const name of names) await STARTS[name]();
