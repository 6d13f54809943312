// Runs the conformance checks and the examples in the named runtimes, or in all of them:
// node run.mjs [--write] [node20 node22 node24 node26 deno bun chromium firefox webkit workerd].
// All together are compared with the README's table, or write it. Exit code 1 if anything failed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "../../build/src/index.js";
import { SAVED_OPTIONS, saveForOthers } from "../../build/test/conformance/sessions.js";
import { MODEL, SAVED } from "./checks.mjs";
import { differences, shortened, versionOf, writeTable } from "./readme-table.mjs";
import { runtimes } from "./runtimes.mjs";

const LIMIT_MS = 90_000;
const GRACE_MS = 5_000;

/** Where downloaded models are kept: not among the user's. */
const CACHE = mkdtempSync(join(tmpdir(), "plm-runtimes-"));
process.on("exit", () => rmSync(CACHE, { recursive: true, force: true }));

/** Ends the running command. */
let endCurrent = () => {};
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    endCurrent();
    process.exit(1);
  });
}

/** Runs a command to its end or its limit; leaves no process of its group. */
function runCommand([file, ...args], onLine) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", XDG_CACHE_HOME: CACHE },
    });
    const kill = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The group has ended.
      }
    };
    endCurrent = () => kill("SIGTERM");
    let ending = "";
    const limit = setTimeout(() => {
      ending = `no end after ${LIMIT_MS / 1000} s`;
      kill("SIGTERM");
      setTimeout(kill, GRACE_MS, "SIGKILL").unref();
    }, LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop();
        lines.forEach(onLine);
      });
      stream.on("end", () => rest !== "" && onLine(rest));
    }
    child.on("error", (error) => {
      ending = error.message;
    });
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      kill("SIGKILL");
      endCurrent = () => {};
      resolve(ending || (code === 0 ? "" : `ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Runs one runtime's commands; each prints at its end how many checks passed and failed. */
async function runRuntime({ commands }) {
  const total = { passed: 0, failed: 0, version: undefined };
  for (const command of commands) {
    let counts;
    const lines = [];
    const ending = await runCommand(command, (line) => {
      const match = /^(\d+) passed, (\d+) failed$/.exec(line);
      total.version ??= /^version (.+)$/.exec(line)?.[1];
      if (match) counts = { passed: Number(match[1]), failed: Number(match[2]) };
      else lines.push(line);
    });
    total.passed += counts?.passed ?? 0;
    total.failed += counts?.failed ?? 0;
    const isBroken = counts === undefined || (ending !== "" && counts.failed === 0);
    if (isBroken) total.failed++;
    if (isBroken || counts.failed > 0) {
      for (const line of lines) console.log(`  ${line}`);
      if (ending !== "") console.log(`  ${command.join(" ")}: ${ending}`);
    }
  }
  return total;
}

const known = runtimes();
const isWriting = process.argv.includes("--write");
const given = process.argv.slice(2).filter((argument) => argument !== "--write");
const names = given.length > 0 ? given : Object.keys(known);
const unknown = names.find((name) => !(name in known));
if (unknown !== undefined) {
  console.error(`run.mjs: expected ${Object.keys(known).join(", ")}; got ${unknown}`);
  process.exit(2);
}

const model = await loadModel(MODEL, SAVED_OPTIONS);
await writeFile(SAVED, await saveForOthers(model));
model.dispose();

const sum = { passed: 0, failed: 0 };
const found = new Map();
for (const name of names) {
  const { missing } = known[name];
  if (missing !== undefined && process.env.CI !== "true") {
    console.log(`${name}: skipped: ${missing}`);
    continue;
  }
  const start = performance.now();
  if (missing !== undefined) console.log(`  ${missing}`);
  const counts = missing === undefined ? await runRuntime(known[name]) : { passed: 0, failed: 1 };
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`);
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  const { title, program } = known[name];
  const version = shortened(counts.version ?? (program && versionOf(program)));
  const row = /^node/.test(name) ? `${title} ${version?.split(".")[0]}` : title;
  found.set(row, { version, passed: counts.passed });
}
if (isWriting) writeTable(found);
else if (names.length === Object.keys(known).length) {
  for (const line of differences(found)) {
    console.log(line);
    sum.failed++;
  }
}
console.log(`runtimes: ${sum.passed} passed, ${sum.failed} failed`);
process.exit(sum.failed === 0 ? 0 : 1);
