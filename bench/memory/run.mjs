// The peak memory of loading a model and generating from it: of a process of Node, and of the
// renderer of a page in Chromium, whose file is picked. Linux only.
//
//   npm run build && npm ci --prefix bench/peers
//   node bench/memory/run.mjs --model FILE [--options '{"residentLayers":4}']... [--only node]
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openPage } from "../peers/chromium.mjs";
import { rendererMemory } from "./process-memory.mjs";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    options: { type: "string", multiple: true, default: ["{}"] },
    only: { type: "string" },
  },
});
if (values.model === undefined) throw new Error("--model: expected a file, got none");

function inNode(options) {
  const once = fileURLToPath(new URL("once.mjs", import.meta.url));
  const args = [once, values.model, JSON.stringify(options)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

async function inChromium(options) {
  const { call, close } = await openPage("bench/memory/page.html", "memory", values.model);
  try {
    const use = await call("use", options);
    return { ...use, ...rendererMemory() };
  } finally {
    await close();
  }
}

const runtimes = { [`node ${process.versions.node}`]: inNode, chromium: inChromium };
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
let first;
for (const text of values.options) {
  for (const [name, useIn] of Object.entries(runtimes)) {
    if (values.only !== undefined && !name.startsWith(values.only)) continue;
    const use = await useIn(JSON.parse(text));
    first ??= use.tokens.join();
    const memory = `peak ${megabytes(use.peakBytes)}, private ${megabytes(use.privateBytes)}`;
    const times = `load ${use.loadS.toFixed(1)} s, generate ${use.generateS.toFixed(1)} s`;
    const tokens = use.tokens.join() === first ? "same tokens" : `other tokens: ${use.tokens}`;
    console.log(`${name} ${text}: ${memory}, of which the model ${megabytes(use.planBytes)}`);
    console.log(`  ${times}; ${use.variant}, ${use.threads} threads; ${tokens}`);
  }
}
