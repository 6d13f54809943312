// The time from importing the package to the first piece of text, each in a fresh process of Node
// and in a fresh profile of Chromium, which gets bundles of esbuild: medians. The start of Node and
// of the browser is not in it.
//
//   npm run build && npm ci --prefix bench/peers
//   node bench/cold-start/run.mjs [--runs 10] [--model models/plm-tiny.gguf]
import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { openPage } from "../peers/chromium.mjs";

const { values } = parseArgs({
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

/** In a process of its own. */
function inNode() {
  const once = fileURLToPath(new URL("once.mjs", import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [once, values.model], { encoding: "utf8" }));
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

/** How long a browser that has shown its first page is busy with its own start. */
const SETTLE_MS = 3_000;

/** In a Chromium of its own. */
async function inChromium(scripts) {
  const { call, close } = await openPage("bench/cold-start/page.html", "coldStart", values.model);
  try {
    await setTimeout(SETTLE_MS);
    return await call("measure", ...scripts);
  } finally {
    await close();
  }
}

/** Runs `start` again and again and prints the medians of its parts. */
async function report(where, start) {
  const starts = [];
  for (let i = 0; i < runs; i++) starts.push(await start());
  const median = (part) => {
    const sorted = starts.map((each) => each[part]).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const value =
      sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return `${value.toFixed(0)} ms`;
  };
  const threads = [...new Set(starts.map((each) => each.threads))].sort().join(" or ");
  const [imports, load, piece] = ["importMs", "loadMs", "pieceMs"].map(median);
  const parts = `import ${imports}, load ${load}, piece ${piece}`;
  const about = `${starts[0].variant}, ${threads} threads, ${runs} runs`;
  console.log(`${where}: ${median("allMs")} to the first piece (${parts}; ${about})`);
}

await report(`Node ${process.versions.node}`, inNode);
const scripts = await bundle();
await report("Chromium", () => inChromium(scripts));
