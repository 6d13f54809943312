/** `plm serve`: answers requests of OpenAI's, llama-server's and Ollama's clients. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { PlmError, reasonOf } from "../../errors.js";
import { inspectModel } from "../../generation/load-model.js";
import type { Model } from "../../generation/model.js";
import { withInterrupt } from "../interrupt.js";
import {
  addModelOptions,
  findModel,
  type ModelFlags,
  openModel,
  toModelOptions,
} from "../options.js";
import { note, showNotes, writeLine } from "../output.js";
import { integer, texts, words } from "../parse.js";

interface ServeFlags extends ModelFlags {
  readonly port: number;
  readonly host: string;
  readonly parallel?: number;
  readonly maxWaiting: number;
  readonly maxBody: number;
  readonly apiKey?: string[];
  readonly apiKeyFile?: string;
  readonly cors?: string[];
  readonly alias?: string;
  readonly log?: boolean;
}

/** Requests at a time, if there is memory for their contexts. */
const DEFAULT_PARALLEL = 4;

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
    .option(
      "--parallel <n>",
      "requests answered at a time, each with room for a whole context (default: " +
        `${DEFAULT_PARALLEL}, or as many as memory has room for)`,
      integer("parallel", 1),
    )
    .option("--max-waiting <n>", "requests that may wait for them", integer("max-waiting", 0), 64)
    .option("--max-body <bytes>", "longest body of a request", integer("max-body", 1), 1 << 20)
    .option(
      "--api-key <key>",
      "a key that requests must have; may be repeated; also PLM_API_KEY in the environment",
      texts,
    )
    .option("--api-key-file <file>", "a file with keys, one a line")
    .option("--cors <origins>", "origins whose pages may ask, with commas, or *", words)
    .option("--alias <name>", "the model's name for clients (default: that of its file)")
    .option("--log", "log each request as a line of JSON on standard error")
    .addHelpText("after", "\nExample:\n  plm serve --port 8080 --parallel 2");
  addModelOptions(command).action((flags: ServeFlags) =>
    withInterrupt((signal) => run(flags, signal)),
  );
}

async function run(flags: ServeFlags, signal: AbortSignal): Promise<void> {
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
    modelName: flags.alias ?? nameOf(flags.model),
    apiKeys,
    maxWaiting: flags.maxWaiting,
    maxBodyBytes: flags.maxBody,
    // The sockets' own limit comes first.
    stallTimeoutMs: 120_000,
    ...(flags.cors && { cors: flags.cors.includes("*") ? "*" : flags.cors }),
    ...(flags.log && { log: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`) }),
  });
  const listener = await listen(handler, flags);
  const loading = load(flags, signal);
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

/** Loads the model into a worker, so that the server answers meanwhile. */
async function load(flags: ServeFlags, signal: AbortSignal): Promise<Model> {
  const { parallel, context } = await planParallel(flags, signal);
  const model = await openModel(flags, signal, {
    contextLength: context,
    cacheTokens: context * parallel,
    maxSequences: parallel,
    worker: true,
  });
  // The first text of a form puts the vocabulary in order: no client is to wait for that.
  const options = { responseFormat: { type: "json" }, maxTokens: 1, signal } as const;
  await model.generate([0], options).result();
  return model;
}

/** How many contexts there is room for, up to what is asked for, and how long they are. */
async function planParallel(
  flags: ServeFlags,
  signal: AbortSignal,
): Promise<{ parallel: number; context: number }> {
  const source = findModel(flags.model);
  const options = { ...toModelOptions(flags), signal };
  const { plan } = await inspectModel(source, options);
  const { contextLength: context } = plan.options;
  if (flags.parallel !== undefined) return { parallel: flags.parallel, context };
  for (let parallel = DEFAULT_PARALLEL; parallel > 1; parallel--) {
    try {
      const cacheTokens = context * parallel;
      await inspectModel(source, { ...options, contextLength: context, cacheTokens });
      return { parallel, context };
    } catch (error) {
      if (PlmError.from(error)?.code !== "OUT_OF_MEMORY") throw error;
      note(`parallel: ${parallel - 1}: there is no memory for ${parallel} contexts of ${context}`);
    }
  }
  return { parallel: 1, context };
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

/** The name of a model's file, without its folder and ending. */
function nameOf(path: string | undefined): string {
  const name = basename(String(findModel(path)).replace(/[?#].*$/, ""));
  return name.replace(/\.gguf$/i, "") || "plm";
}
