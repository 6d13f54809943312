// A program that is built together with plm-thread.mjs and plm-worker.mjs.
import { loadModel } from "plm-wasm";
import { report } from "./report.mjs";

const [path] = process.argv.slice(2);
const threadScript = new URL(/* @vite-ignore */ "./plm-thread.mjs", import.meta.url);
const worker = new URL(/* @vite-ignore */ "./plm-worker.mjs", import.meta.url);
report((options) => loadModel(path, { ...options, threadScript }), worker).then(console.log);
