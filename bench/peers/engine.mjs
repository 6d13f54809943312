// An engine for the driver: a process of its own that answers commands one at a time.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const RUNNER = fileURLToPath(new URL("runner.mjs", import.meta.url));

/** No call takes longer, not even filling 4,000 positions in one thread. */
const LIMIT_MS = 20 * 60_000;

const CLOSE_LIMIT_MS = 10_000;

/** Lines kept of a process's output, to report why it ended. */
const KEPT_LINES = 40;

/** The most informative line of an output after a crash. */
function reasonIn(lines) {
  const telling = lines.find((line) => /assert|abort|error/i.test(line)) ?? lines.at(-1);
  return telling === undefined ? "" : `: ${telling.trim().slice(0, 200)}`;
}

/** A started engine. Its calls reject with a reason if the process ends or takes too long. */
export class Engine {
  #child;
  #lines = [];
  #settle = () => {};
  #ended;

  constructor(execPath) {
    this.#child = fork(RUNNER, [], { execPath, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.#lines.push(...text.split("\n").filter((line) => line.trim() !== ""));
        this.#lines.splice(0, this.#lines.length - KEPT_LINES);
      });
    }
    this.#child.on("message", (answer) => this.#settle(answer));
    this.#child.on("error", (error) => this.#settle({ error: error.message }));
    this.#ended = new Promise((resolve) => this.#child.on("exit", resolve));
    // After its streams have ended, so that its last words are known.
    this.#child.on("close", (code, signal) => {
      const how = `the process ended with ${signal ?? `exit code ${code}`}`;
      this.#settle({ error: how + reasonIn(this.#lines) });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Loads the engine; resolves to its description, with at least `threads`. */
  load(spec) {
    return this.#ask("load", spec);
  }

  /** Milliseconds of evaluating a prompt (of prompts.mjs) in one call, from an empty cache. */
  prefill(prompt) {
    return this.#ask("prefill", prompt);
  }

  /** Milliseconds of evaluating the tokens of a prompt one by one, after those of a context. */
  decode(context, steps) {
    return this.#ask("decode", context, steps);
  }

  /** As decode, in all sequences at the same time. */
  together(context, steps) {
    return this.#ask("together", context, steps);
  }

  /** Milliseconds of a prompt, of whose beginning an earlier call may have left something. */
  first(prompt) {
    return this.#ask("first", prompt);
  }

  /** Ends the process and all processes that it started. */
  async close() {
    if (this.#child.connected) this.#child.disconnect();
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_LIMIT_MS);
    await this.#ended;
    clearTimeout(limit);
  }

  #ask(command, ...args) {
    return new Promise((resolve, reject) => {
      const settle = ({ result, error }) => {
        clearTimeout(limit);
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      };
      const limit = setTimeout(() => {
        settle({ error: `${command}: no answer in ${LIMIT_MS / 60_000} minutes` });
        this.#child.kill("SIGKILL");
      }, LIMIT_MS);
      this.#settle = settle;
      if (this.#child.connected) this.#child.send({ command, args });
      else settle({ error: `${command}: the process has ended${reasonIn(this.#lines)}` });
    });
  }
}
