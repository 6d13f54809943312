// Runs the tests, each file in a process of its own, as many at a time as there are processors (at
// most 4): node scripts/test.mjs [PATTERN], such as "^cli/". Prints what a file prints when it ends,
// and the sum of all as uvu does. Exit code 1 if anything failed.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const FOLDER = "build/test";
const LIMIT_MS = 300_000;
const pattern = new RegExp(process.argv[2] ?? "");

const files = readdirSync(FOLDER, { recursive: true })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".test.js") && pattern.test(path))
  .sort();
if (files.length === 0) {
  console.error(`test.mjs: expected a pattern of files in ${FOLDER}, got ${pattern}`);
  process.exit(2);
}

/** What runs now; ends with this process. */
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) child.kill("SIGKILL");
    process.exit(1);
  });
}

/** Runs a file; resolves to what it printed and its exit code, null if it was ended. */
function run(file) {
  return new Promise((resolve) => {
    const options = { stdio: ["ignore", "pipe", "pipe"], timeout: LIMIT_MS, killSignal: "SIGKILL" };
    const child = spawn(process.execPath, [join(FOLDER, file)], options);
    running.add(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("close", (code) => {
      running.delete(child);
      resolve({ output, code });
    });
  });
}

const sum = { Total: 0, Passed: 0, Skipped: 0 };
const startMs = performance.now();
let hasFailed = false;

async function work() {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const fileMs = performance.now();
    const { output, code } = await run(file);
    const counts = Object.keys(sum).map((name) => {
      const [, count] = new RegExp(`^ *${name}: +(\\d+)`, "m").exec(output) ?? [];
      return [name, Number(count ?? 0)];
    });
    for (const [name, count] of counts) sum[name] += count;
    const seconds = ((performance.now() - fileMs) / 1000).toFixed(1);
    console.log(`\n${file} (${seconds} s)\n${output.trimEnd()}`);
    if (code === 0) continue;
    hasFailed = true;
    // One that ended before it could count its tests is a failure, too.
    if (Object.fromEntries(counts).Total === 0) sum.Total++;
    console.log(
      `${file}: ${code === null ? `no end in ${LIMIT_MS / 1000} s` : `exit code ${code}`}`,
    );
  }
}

await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
console.log(`\n  Total:     ${sum.Total}\n  Passed:    ${sum.Passed}`);
console.log(`  Skipped:   ${sum.Skipped}\n  Duration:  ${seconds} s`);
process.exit(hasFailed ? 1 : 0);
