// Programs that end with this process, and the runtimes of test/runtimes.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runtimes } from "../runtimes/runtimes.mjs";
import { REQUEST } from "./answers.mjs";
import { MODEL } from "./deployment.mjs";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const LIMIT_MS = 30_000;
const POLL_MS = 20;

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** The path of a runtime's program. Throws if it is not installed. */
export function programOf(name) {
  const { program, missing } = runtimes()[name];
  if (missing !== undefined) throw new Error(`${name}: ${missing}; npm ci --prefix test/runtimes`);
  return program;
}

/** The program of AWS's client. Throws if it is not installed. */
export function lambdaClient() {
  const found = pathOf("lambda-client/node_modules/aws-lambda-ric/index.mjs");
  const command = "npm ci --prefix test/serverless/lambda-client";
  if (!existsSync(found)) throw new Error(`${found}: expected it, ${command}`);
  return found;
}

/** What a program's own runtime answers with the library alone. */
export function expectedIn(command, options) {
  const args = [pathOf("expected.mjs"), MODEL, JSON.stringify(REQUEST), JSON.stringify(options)];
  const [program, ...rest] = command;
  return JSON.parse(execFileSync(program, [...rest, ...args], { encoding: "utf8" }));
}

/** Starts a program that ends with this process; `ended` rejects with its output when it ends. */
export function launch([program, ...args], options) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  process.on("exit", () => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const ended = new Promise((_, reject) => {
    const fail = (why) => reject(new Error(`${program}: ${why}:\n${output}`));
    child.on("error", ({ message }) => fail(message));
    child.on("exit", (code, signal) => fail(`ended with ${signal ?? code}`));
  });
  ended.catch(() => {});
  return { ended, output: () => output };
}

/** Starts a server; resolves to the origin that it prints. */
export async function serve(command, options) {
  const { ended, output } = launch(command, options);
  for (const endMs = performance.now() + LIMIT_MS; performance.now() < endMs; ) {
    const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(output()) ?? [];
    if (origin !== undefined) return origin;
    await Promise.race([ended, setTimeout(POLL_MS)]);
  }
  throw new Error(`${command.join(" ")}: not ready after ${LIMIT_MS / 1000} s:\n${output()}`);
}
