/** Options that many commands share, and the model that they describe. */
import { type Command, Option } from "commander";
import { CACHE_TYPES, type CacheType } from "../cache/rows.js";
import {
  type CheckpointOptions,
  openModel as openFile,
  type QuantizeChoice,
} from "../checkpoint/open-model.js";
import { type ModelOptions, PROFILES, type Profile } from "../engine/options.js";
import { type LoadModelOptions, loadModel } from "../generation/load-model.js";
import type { Model } from "../generation/model.js";
import { ATTENTION_FORMS, type AttentionForm } from "../model/attention-form.js";
import { PRECISIONS, type Precision } from "../model/precision.js";
import { closeSources, openSources } from "../sources/source.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { addContext, addQuantizing, addThreads, type ContextDefaults } from "./flags.js";
import { note } from "./output.js";
import { integer } from "./parse.js";
import { createProgressBar } from "./progress.js";

/** The flags that addModelOptions adds. */
export interface ModelFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly cache?: CacheType;
  readonly context?: number;
  readonly attention: AttentionForm;
  readonly batch?: number;
  readonly precision: Precision;
  readonly quantize?: QuantizeChoice;
  readonly profile?: Profile;
  readonly residentLayers?: number;
}

/** The model that ships with the package (models/README.md). */
export const SHIPPED_MODEL: URL = new URL("../../../models/plm-tiny.gguf", import.meta.url);

const MODEL_HELP = "path or URL of a GGUF file, hf:owner/repo/file, or a Hugging Face folder";

/** Adds only --model, for commands that need only the file's header. */
export function addModelOption(command: Command): Command {
  const option = new Option("-m, --model <file>", MODEL_HELP);
  return command.addOption(option.default(undefined, "the model that ships with the package"));
}

/** A command's own defaults. */
interface ModelDefaults {
  readonly context?: ContextDefaults;
  readonly cache?: CacheType;
  /** The default of --batch. */
  readonly batch?: string;
  readonly precision?: Precision;
  /** Whether --resident-layers is left to the command. */
  readonly hasOwnResidentLayers?: boolean;
}

/** Adds --model and the options of loading it. */
export function addModelOptions(
  command: Command,
  {
    context = { fallback: "the file's" },
    cache,
    batch = "512",
    precision = "balanced",
    hasOwnResidentLayers = false,
  }: ModelDefaults = {},
): Command {
  addThreads(addModelOption(command), "what is fastest on this machine");
  addContext(command, context);
  addQuantizing(command);
  if (!hasOwnResidentLayers) {
    const parse = integer("resident-layers", 1);
    command.addOption(residentLayersOption().argParser(parse));
  }
  return command
    .addOption(
      new Option("--cache <type>", "how the latent cache is held")
        .choices(CACHE_TYPES)
        .default(cache, cache ?? "i16"),
    )
    .addOption(
      new Option("--attention <form>", "how attention is computed")
        .choices(ATTENTION_FORMS)
        .default(ATTENTION_FORMS[0]),
    )
    .addOption(
      new Option("-b, --batch <n>", "most tokens that prefill takes at once")
        .argParser(integer("batch", 1))
        .default(undefined, batch),
    )
    .addOption(
      new Option("--precision <level>", "bits of prefill; decoding keeps 16")
        .choices(PRECISIONS)
        .default(precision),
    )
    .addOption(
      new Option("--profile <name>", "choose what is left open for the device").choices(PROFILES),
    );
}

/** `--resident-layers`, without its parser. */
export function residentLayersOption(): Option {
  const help = "layers in memory at a time; the others are read from the file when they are needed";
  return new Option("--resident-layers <n>", help).default(undefined, "all");
}

/** The library's options for the flags. */
export function toModelOptions(flags: ModelFlags): ModelOptions & CheckpointOptions {
  return {
    attention: flags.attention,
    precision: flags.precision,
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.context !== undefined && { contextLength: flags.context }),
    ...(flags.batch !== undefined && { batchSize: flags.batch }),
    ...(flags.quantize !== undefined && { quantize: flags.quantize }),
    ...(flags.cache !== undefined && { cacheType: flags.cache }),
    ...(flags.profile !== undefined && { profile: flags.profile }),
    ...(flags.residentLayers !== undefined && { residentLayers: flags.residentLayers }),
  };
}

/** The file that --model names, or the package's own model. */
export function findModel(path: string | undefined): string | URL {
  return path ?? SHIPPED_MODEL;
}

/** Loads the model with a progress bar; `overrides` take precedence over the flags. */
export async function openModel(
  flags: ModelFlags,
  signal: AbortSignal,
  overrides: LoadModelOptions = {},
): Promise<Model> {
  const bar = createProgressBar("loading");
  try {
    const model = await loadModel(findModel(flags.model), {
      ...toModelOptions(flags),
      ...overrides,
      signal,
      onProgress: (progress) => bar.update(progress),
    });
    const { threadFailure, threads } = model;
    noteWarnings(model.tokenizer);
    for (const { option, value, reason } of model.plan.choices) {
      note(`${option}: ${value}, ${reason}`);
    }
    if (threadFailure) note(`threads: ${threads}: ${threadFailure.message}`);
    return model;
  } finally {
    bar.stop();
  }
}

/** The tokenizer of the model, from the file's header alone. */
export async function openTokenizer(path: string | undefined): Promise<Tokenizer> {
  const sources = await openSources(findModel(path));
  try {
    const tokenizer = Tokenizer.fromMetadata((await openFile(sources)).metadata);
    noteWarnings(tokenizer);
    return tokenizer;
  } finally {
    await closeSources(sources);
  }
}

/** Notes the warnings of the file's tokenizer. */
export function noteWarnings({ warnings }: Tokenizer): void {
  for (const warning of warnings) note(warning);
}
