// Starts `plm serve` in a runtime and runs the clients against it in the same one: node run.mjs
// [node deno bun]. The last line says "N passed, N failed".
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const MAIN = pathOf("../../build/src/cli/main.js");
const CLIENT = pathOf("client.mjs");
const LIMIT_MS = 180_000;

/** This machine's name in the packages of Deno and Bun. */
const system = `${process.platform}-${process.arch}`;
const denoSystem = process.platform === "linux" ? `${system}-glibc` : system;
const bunSystem = system.replace("arm64", "aarch64");
const RUNTIMES = {
  node: [process.execPath],
  deno: [
    pathOf(`node_modules/@deno/${denoSystem}/deno`),
    ...["run", "--no-remote", "--node-modules-dir=manual", "--allow-all"],
  ],
  bun: [pathOf(`node_modules/@oven/bun-${bunSystem}/bin/bun`)],
};

const env = { ...process.env, NO_COLOR: "1", PLM_API_KEY: "secret" };
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Starts a script in a runtime. */
function start([program, ...args], ...script) {
  const stdio = ["ignore", "pipe", "inherit"];
  const child = spawn(program, [...args, ...script], { stdio, env });
  children.add(child);
  child.on("close", () => children.delete(child));
  return child;
}

/** Runs the checks in a runtime; resolves to how many passed and failed. */
async function run(name) {
  const server = start(RUNTIMES[name], MAIN, "serve", "--port", "0");
  const ended = once(server, "close");
  const limit = setTimeout(() => server.kill("SIGKILL"), LIMIT_MS);
  const lines = createInterface({ input: server.stdout });
  const [ready] = await Promise.race([once(lines, "line"), ended]);
  const url = /^(http:\S+) is ready$/.exec(ready)?.[1];
  const counts = { passed: 0, failed: 0 };
  if (url === undefined) {
    console.log(`FAIL ${name}: the server did not start: ${ready}`);
    return { passed: 0, failed: 1 };
  }
  const client = start(RUNTIMES[name], CLIENT, url);
  const stop = setTimeout(() => client.kill("SIGKILL"), LIMIT_MS);
  const finished = once(client, "close");
  for await (const line of createInterface({ input: client.stdout })) {
    const found = /^(\d+) passed, (\d+) failed$/.exec(line);
    if (found === null) console.log(`${name}: ${line}`);
    else Object.assign(counts, { passed: Number(found[1]), failed: Number(found[2]) });
  }
  await finished;
  clearTimeout(stop);
  server.kill("SIGTERM");
  const [code, signal] = await ended;
  clearTimeout(limit);
  const isClean = code === 128 + 15 && counts.passed + counts.failed > 0;
  console.log(`${isClean ? "ok" : "FAIL"} ${name}: the server ended with ${signal ?? code}`);
  counts[isClean ? "passed" : "failed"]++;
  return counts;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(RUNTIMES);
const total = { passed: 0, failed: 0 };
for (const name of names) {
  const { passed, failed } = await run(name);
  total.passed += passed;
  total.failed += failed;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
