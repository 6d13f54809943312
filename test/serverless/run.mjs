// Runs the serverless examples in their platforms' runtimes, and compares their texts with the
// library's: node run.mjs [cloudflare-worker deno-deploy vercel-edge netlify-edge aws-lambda]
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { programOf } from "./processes.mjs";

const KNOWN = ["cloudflare-worker", "deno-deploy", "vercel-edge", "netlify-edge", "aws-lambda"];
const LIMIT_MS = 120_000;
const MAX_OUTPUT_BYTES = 1 << 24;

const names = process.argv.length > 2 ? process.argv.slice(2) : KNOWN;
const unknown = names.find((name) => !KNOWN.includes(name));
if (unknown !== undefined) {
  console.error(`run.mjs: expected ${KNOWN.join(", ")}; got ${unknown}`);
  process.exit(2);
}

// Miniflare and AWS's client need a later Node than the package.
const node = programOf("node24");
const total = { passed: 0, failed: 0 };
for (const name of names) {
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  const options = { timeout: LIMIT_MS, killSignal: "SIGTERM", maxBuffer: MAX_OUTPUT_BYTES };
  const { error, output } = await new Promise((resolve) => {
    execFile(node, [script], options, (error, stdout, stderr) => {
      resolve({ error, output: stdout + stderr });
    });
  });
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  const isBroken = error !== null && Number(failed) === 0;
  // The examples log their requests.
  if (error === null) for (const line of output.match(/^ok .*$/gm)) console.log(`${name}: ${line}`);
  else console.log(`${output}FAIL ${name}: ended with ${error.signal ?? error.code}`);
  total.passed += Number(passed);
  total.failed += Number(failed) + (isBroken ? 1 : 0);
}
console.log(`serverless: ${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
