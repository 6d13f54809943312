// Programs that end with this process, and the runtimes of test/runtimes.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runtimes } from "../runtimes/runtimes.mjs";
import { REQUEST } from "./answers.mjs";
import { MODEL } from "./deployment.mjs";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const LIMIT_MS = 30_000;

/** The path of a runtime's program. Throws if it is not installed. */
export function programOf(name) {
  const { program, missing } = runtimes()[name];
  if (missing !== undefined) throw new Error(`${name}: ${missing}; npm ci --prefix test/runtimes`);
  return program;
}

/** The path of an installed file of this folder. Throws if it is not there. */
export function installed(path) {
  const found = pathOf(`node_modules/${path}`);
  if (!existsSync(found)) throw new Error(`${found}: expected it, npm ci --prefix test/serverless`);
  return found;
}

/** What a program's own runtime answers with the library alone. */
export function expectedIn(command, options) {
  const args = [pathOf("expected.mjs"), MODEL, JSON.stringify(REQUEST), JSON.stringify(options)];
  const [program, ...rest] = command;
  return JSON.parse(execFileSync(program, [...rest, ...args], { encoding: "utf8" }));
}

/** Starts a program; `found` is what its output's first match of a pattern has. */
export async function start([program, ...args], options, pattern) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  process.on("exit", () => child.kill("SIGKILL"));
  let output = "";
  const found = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${program}: ${why}:\n${output}`));
    const timer = setTimeout(fail, LIMIT_MS, "is not ready");
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        const match = pattern.exec(output);
        if (match === null) return;
        clearTimeout(timer);
        resolve(match[1]);
      });
    }
    child.on("error", ({ message }) => fail(message));
    child.on("exit", (code, signal) => fail(`ended with ${signal ?? code}`));
  });
  return { found, child, output: () => output, end: () => child.kill("SIGKILL") };
}
