/**
 * What remains of models that were loaded and disposed of, one after another: the process's memory
 * and threads.
 *
 *     node build/bench/reload.bench.js [--loads 16] [--layers 12] [--against BUILD]
 *     deno run -A build/bench/reload.bench.js
 *
 * BUILD is the build folder of another commit, to load with instead of this one.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadModel } from "../src/index.js";
import { describeMachine, readMachine } from "./machine.js";
import { loaderOf, smallModel } from "./small-model.js";

/** Dismissed threads have returned by then. */
const RETURN_MS = 3_000;

const { values } = parseArgs({
  options: {
    loads: { type: "string", default: "16" },
    layers: { type: "string", default: "12" },
    against: { type: "string" },
  },
});

/** Threads of this process, JavaScript's and the engine's; 0 if unknown. */
const threadCount = (): number => {
  const tasks = "/proc/self/task";
  return existsSync(tasks) ? readdirSync(tasks).length : 0;
};
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
const rss = (): number => megabytes(process.memoryUsage().rss);

console.log(describeMachine(readMachine("simd")));
const folder = mkdtempSync(join(tmpdir(), "plm-reload-"));
const file = join(folder, "model.gguf");
const bytes = smallModel(Number(values.layers));
writeFileSync(file, bytes);
const load = values.against === undefined ? loadModel : await loaderOf(values.against);
const before = threadCount();
console.log(`model    ${megabytes(bytes.length)} MB`);
console.log(`before   ${rss()} MB, ${before} threads\n`);
let most = 0;
for (let i = 1; i <= Number(values.loads); i++) {
  const model = await load(file, { threads: 2 });
  const session = model.createSession();
  await session.evaluate([5, 6, 7]);
  most = Math.max(most, rss());

  model.dispose();
}
rmSync(folder, { recursive: true });
await new Promise((done) => setTimeout(done, RETURN_MS));
console.log(`most     ${most} MB of ${values.loads} loads`);
console.log(`after    ${rss()} MB, ${threadCount() - before} threads more than before`);
