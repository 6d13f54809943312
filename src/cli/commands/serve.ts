/** `plm serve`: answers requests of OpenAI's, llama-server's and Ollama's clients. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { PlmError, reasonOf } from "../../errors.js";
import type { Model } from "../../generation/model.js";
import type { SessionStore } from "../../generation/session-store.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions } from "../options.js";
import { showNotes, writeLine } from "../output.js";
import { integer, texts, words } from "../parse.js";
import { redisOption } from "../redis-flag.js";
import {
  addServedModelOptions,
  openServedModel,
  type ServedModelFlags,
  servedName,
} from "../served-model.js";
import { openStore, type StoreFlags } from "../session-store.js";

interface ServeFlags extends ServedModelFlags, StoreFlags {
  readonly port: number;
  readonly host: string;
  readonly maxWaiting: number;
  readonly maxBody: number;
  readonly apiKey?: string[];
  readonly apiKeyFile?: string;
  readonly cors?: string[];
  readonly log?: boolean;
}

export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .summary("answer requests over HTTP")
    .description(
      "Answers requests of clients made for OpenAI, llama-server or Ollama (docs/server.md). It " +
        "listens at once, answers 503 until the model is loaded, and then prints its address. " +
        "Ctrl-C lets it finish what it has begun; a second one ends it at once.",
    )
    .option("--port <n>", "the port; 0: any that is free", integer("port", 0), 8080)
    .option("--host <address>", "the address to listen on; 0.0.0.0: all", "127.0.0.1")
    .option("--max-waiting <n>", "requests that may wait for them", integer("max-waiting", 0), 64)
    .option("--max-body <bytes>", "longest body of a request", integer("max-body", 1), 1 << 20)
    .option(
      "--api-key <key>",
      "a key that requests must have; may be repeated; also PLM_API_KEY in the environment",
      texts,
    )
    .option("--api-key-file <file>", "a file with keys, one a line")
    .option("--cors <origins>", "origins whose pages may ask, with commas, or *", words)
    .addOption(redisOption())
    .option(
      "--session-ttl <seconds>",
      "how long Redis keeps a session after its last request",
      integer("session-ttl", 1),
      86_400,
    )
    .option(
      "--session-bytes <n>",
      "most bytes of a session in Redis",
      integer("session-bytes", 1),
      1 << 30,
    )
    .option("--log", "log each request as a line of JSON on standard error")
    .addHelpText("after", "\nExample:\n  plm serve --port 8080 --parallel 2");
  addModelOptions(addServedModelOptions(command)).action((flags: ServeFlags) =>
    withInterrupt((signal) => run(flags, signal)),
  );
}

async function run(flags: ServeFlags, signal: AbortSignal): Promise<void> {
  const store = await openStore(flags);
  try {
    await serve(flags, store?.sessions, signal);
  } finally {
    store?.close();
  }
}

async function serve(
  flags: ServeFlags,
  sessions: SessionStore | undefined,
  signal: AbortSignal,
): Promise<void> {
  // Other commands start faster without them.
  const { createHandler } = await import("../../server/index.js");
  const { listen } = await import("../http-server.js");
  const apiKeys = await readKeys(flags);
  let setModel = (_model: Promise<Model>): void => {};
  const promise = new Promise<Model>((resolve) => {
    setModel = resolve;
  });
  const handler = createHandler({
    model: promise,
    modelName: servedName(flags),
    apiKeys,
    maxWaiting: flags.maxWaiting,
    maxBodyBytes: flags.maxBody,
    // The sockets' own limit comes first.
    stallTimeoutMs: 120_000,
    ...(flags.cors && { cors: flags.cors.includes("*") ? "*" : flags.cors }),
    ...(sessions && { sessions }),
    ...(flags.log && { log: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`) }),
  });
  const listener = await listen(handler, flags);
  const loading = openServedModel(flags, signal);
  setModel(loading);
  let model: Model | undefined;
  try {
    model = await loading;
    showNotes();
    await writeLine(`${listener.url} is ready`);
    await aborted(signal);
  } finally {
    await listener.close(handler.close());
    model?.dispose();
  }
  throw signal.reason;
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

/** The keys of the flags, the file and the environment. */
async function readKeys({ apiKey = [], apiKeyFile }: ServeFlags): Promise<string[]> {
  const keys = [...apiKey, ...(process.env.PLM_API_KEY?.split(",") ?? [])];
  if (apiKeyFile !== undefined) {
    try {
      keys.push(...(await readFile(apiKeyFile, "utf8")).split(/\r?\n/));
    } catch (cause) {
      const message = `--api-key-file: expected a file that can be read: ${reasonOf(cause)}`;
      throw new PlmError("UNREADABLE_FILE", message, { cause });
    }
  }
  const all = keys.map((key) => key.trim()).filter((key) => key !== "");
  if (all.length === 0 && (apiKey.length > 0 || apiKeyFile !== undefined)) {
    const got = "none";
    throw new PlmError("INVALID_ARGUMENT", `--api-key: expected at least one key, got ${got}`);
  }
  return all;
}
