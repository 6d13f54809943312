/** The model that requests are answered with: in a worker, with room for several contexts. */
import { basename } from "node:path";
import type { Command } from "commander";
import { PlmError } from "../errors.js";
import { inspectModel, type LoadModelOptions } from "../generation/load-model.js";
import type { Model } from "../generation/model.js";
import { findModel, type ModelFlags, openModel, toModelOptions } from "./options.js";
import { note } from "./output.js";
import { integer } from "./parse.js";

/** The flags that addServedModelOptions adds, and those of the model. */
export interface ServedModelFlags extends ModelFlags {
  readonly parallel?: number;
  readonly alias?: string;
}

/** Requests at a time, if there is memory for their contexts. */
const DEFAULT_PARALLEL = 4;

/** Adds --parallel and --alias. */
export function addServedModelOptions(command: Command): Command {
  return command
    .option(
      "--parallel <n>",
      "requests answered at a time, each with room for a whole context (default: " +
        `${DEFAULT_PARALLEL}, or as many as memory has room for)`,
      integer("parallel", 1),
    )
    .option("--alias <name>", "the model's name for clients (default: that of its file)");
}

/** Loads the model into a worker, so that the event loop stays free. */
export async function openServedModel(
  flags: ServedModelFlags,
  signal: AbortSignal,
  overrides: LoadModelOptions = {},
): Promise<Model> {
  const { parallel, context } = await planParallel(flags, signal);
  const model = await openModel(flags, signal, {
    contextLength: context,
    cacheTokens: context * parallel,
    maxSequences: parallel,
    worker: true,
    ...overrides,
  });
  // The first text of a form puts the vocabulary in order: no client is to wait for that.
  const options = { responseFormat: { type: "json" }, maxTokens: 1, signal } as const;
  await model.generate([0], options).result();
  return model;
}

/** How many contexts there is room for, up to what is asked for, and how long they are. */
async function planParallel(
  flags: ServedModelFlags,
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

/** The model's name for clients. */
export function servedName({ alias, model }: ServedModelFlags): string {
  if (alias !== undefined) return alias;
  const name = basename(String(findModel(model)).replace(/[?#].*$/, ""));
  return name.replace(/\.gguf$/i, "") || "plm";
}
