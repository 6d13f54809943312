/** Runs `plm` on a real terminal, that of util-linux's `script`. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { folder } from "./plm.js";

const MAIN = resolve("build/src/cli/main.js");
const probe = spawnSync("script", ["-qec", "exit 3", "/dev/null"], { stdio: "ignore" });
if (probe.status !== 3) console.log("skipped: no script of util-linux, as on macOS and Windows");

/** Skips where there is no such `script`. */
export const onTerminal: typeof test | typeof test.skip = probe.status === 3 ? test : test.skip;

/** Where `plm chat` keeps its history here. */
export const STATE: string = join(folder, "state");

/** The environment of programs on the terminal. */
export const ENV: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  TERM: "xterm-256color",
  XDG_STATE_HOME: STATE,
};

/** The arguments of `script` that run a command line. */
export function scriptOf(line: string): string[] {
  return ["-qec", line, "/dev/null"];
}

/** The command line that runs `plm`. */
export function lineOf(args: readonly string[]): string {
  return [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(" ");
}

/** What the keys send. */
export const KEYS = { up: "\u001b[A", ctrlC: "\u0003", ctrlD: "\u0004", enter: "\r", tab: "\t" };

/** How long something may take to be shown, and a program to end. */
const PATIENCE_MS = 60_000;
const LIMIT_MS = 3 * PATIENCE_MS;

/** A program on a terminal, to which one types. */
export class Terminal {
  /** All that was shown. */
  #shown = "";
  /** Where to look from. */
  #from = 0;
  readonly #script: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;

  /** Runs a command line of the shell's. */
  constructor(line: string, env: NodeJS.ProcessEnv = {}) {
    const options = { cwd: folder, env: { ...ENV, ...env }, timeout: LIMIT_MS };
    this.#script = spawn("script", scriptOf(line), options);
    this.#script.stdin.on("error", () => {});
    this.#script.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.#shown += chunk;
    });
    this.#ended = new Promise((done) => this.#script.on("close", done));
  }

  /** All that was shown, with `\n` as line ends. */
  get seen(): string {
    return withLineFeeds(this.#shown);
  }

  type(keys: string): void {
    this.#from = this.#shown.length;
    this.#script.stdin.write(keys);
  }

  /** Waits until what was shown since the last keys matches. */
  async until(pattern: RegExp): Promise<string> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const shown = withLineFeeds(this.#shown.slice(this.#from));
      if (pattern.test(shown)) return shown;
      const isLate = performance.now() > endMs || this.#script.exitCode !== null;
      if (isLate) assert.unreachable(`expected ${pattern}, got ${JSON.stringify(this.seen)}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** Waits for the end; the exit code of the program. */
  ended(): Promise<number | null> {
    return this.#ended;
  }
}

/** A terminal ends lines with `\r\n`, and so do some programs, whose `\n` becomes that. */
function withLineFeeds(shown: string): string {
  return shown.replace(/\r+\n/g, "\n");
}
