/** `plm serve` as a process of a test's own. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as assert from "uvu/assert";
import { start } from "./plm.js";

export interface Served {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed since it was ready. */
  readonly output: { stdout: string; stderr: string };
}

/** Starts a server on a free port, and waits until it is ready. */
export async function serve(...args: string[]): Promise<Served> {
  const child = start("serve", "--port", "0", ...args);
  process.on("exit", () => child.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  lines.on("line", (each) => {
    output.stdout += each;
  });
  const [, url, port] = /^(http:\/\/127\.0\.0\.1:(\d+)) is ready$/.exec(line) ?? [];
  assert.ok(url !== undefined, line);
  return { url, port: Number(port), child, output };
}

/** Sends a signal, and resolves to the exit code. */
export async function end(
  { child }: Served,
  signal: NodeJS.Signals = "SIGTERM",
): Promise<number | null> {
  const closed = once(child, "close");
  child.kill(signal);
  return ((await closed) as [number | null])[0];
}
