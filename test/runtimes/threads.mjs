// Whether the threads of disposed models end, in the runtime that runs this file.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { loadModel } from "../../build/src/index.js";
import { MODEL, runChecks } from "./checks.mjs";

const TASKS = "/proc/self/task";
const LOADS = 12;

/** Threads that a runtime starts for itself meanwhile. */
const OWN_THREADS = 4;

/** Longer than a thread takes to return, shorter than the time until it is terminated. */
const RETURN_MS = 1_500;

async function loadAndDispose() {
  const model = await loadModel(MODEL, { threads: 2 });
  await model.generate("Once", { maxTokens: 2, temperature: 0 }).text();
  model.dispose();
}

async function countThreads() {
  await new Promise((resolve) => setTimeout(resolve, RETURN_MS));
  return readdirSync(TASKS).length;
}

await runChecks({
  "threads of disposed models end": async () => {
    if (!existsSync(TASKS)) return;
    await loadAndDispose();
    const before = await countThreads();
    for (let i = 0; i < LOADS; i++) await loadAndDispose();
    const after = await countThreads();
    assert.ok(after <= before + OWN_THREADS, `${after} threads, ${before} before ${LOADS} models`);
  },
});
