// How long the event loop of a program pauses while a worker evaluates a long prompt, in Node and
// in a page of Chromium, beside a control whose processors are busy with two other processes.
//
//   npm run build && npm ci --prefix bench/peers
//   node bench/pauses/run.mjs --model plm-1.8b-q8_0.gguf [--tokens 1000] [--threads 2]
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { openPage } from "../peers/chromium.mjs";
import { measurePrefill, measureWaiting } from "./pauses.mjs";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    tokens: { type: "string", default: "1000" },
    threads: { type: "string", default: "2" },
  },
});
if (values.model === undefined) throw new Error("--model: expected a file, got nothing");
const spec = { tokens: Number(values.tokens), threads: Number(values.threads) };

/** Runs `measure` beside processes that keep the processors busy. */
async function besideBusy(count, measure) {
  const busy = Array.from({ length: count }, () => spawn(process.execPath, ["-e", "for (;;);"]));
  try {
    return await measure();
  } finally {
    for (const child of busy) child.kill();
  }
}

/** Calls functions of page.mjs in a page of Chromium. */
async function inChromium(use) {
  const { call, close } = await openPage("bench/pauses/page.html", "pauses", values.model);
  try {
    return await use(call);
  } finally {
    await close();
  }
}

function print(where, what, { p99Ms, mostMs, medianMs, turns, prefillMs, threads, variant }) {
  const about = threads === undefined ? "" : `, ${threads} threads, ${variant}`;
  const took = prefillMs === undefined ? "" : ` in ${(prefillMs / 1000).toFixed(1)} s${about}`;
  const [median, p99, most] = [medianMs, p99Ms, mostMs].map((ms) => ms.toFixed(1).padStart(6));
  console.log(`${where} ${what}${took}`);
  console.log(`    pauses: median ${median} ms, p99 ${p99} ms, most ${most} ms, ${turns} turns`);
}

const { loadModel } = await import("../../build/src/index.js");
const inNode = await measurePrefill(loadModel, values.model, spec);
print(`Node ${process.versions.node}`, `a worker evaluates ${spec.tokens} tokens`, inNode);
const waiting = await besideBusy(2, () => measureWaiting(inNode.prefillMs));
print(`Node ${process.versions.node}`, "two busy processes", waiting);
await inChromium(async (call) => {
  const inPage = await call("prefill", spec);
  print("Chromium", `a worker evaluates ${spec.tokens} tokens`, inPage);
  const waiting = await besideBusy(2, () => call("wait", inPage.prefillMs));
  print("Chromium", "two busy processes", waiting);
});
