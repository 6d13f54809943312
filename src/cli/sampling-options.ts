/** The options of sampling, for the commands that generate. */
import type { Command } from "commander";
import { type GenerateOptions, resolveOptions } from "../generation/options.js";
import { openTokenizer } from "./options.js";
import { type BiasMap, bias, number, texts } from "./parse.js";

/** What addSamplingOptions leaves: named and meant as in GenerateOptions. */
export type SamplingFlags = Omit<GenerateOptions, "logitBias" | "stop" | "signal"> & {
  readonly logitBias?: BiasMap;
  readonly stop?: string[];
};

/** The sampling flags: kebab-case of GenerateOptions, with llama.cpp's names where they differ. */
export function addSamplingOptions(command: Command, maxTokens: number): Command {
  return command
    .option(
      "-n, --max-tokens <n>",
      "most tokens to generate; Infinity: until an end token or a full context",
      number("max-tokens"),
      maxTokens,
    )
    .option(
      "--temp, --temperature <t>",
      "0 takes the best token always, above 1 flattens (default: 0.8)",
      number("temperature"),
    )
    .option("--top-k <k>", "keep the k best tokens; 0: all (default: 40)", number("top-k"))
    .option("--top-p <p>", "keep the best with this share (default: 0.95)", number("top-p"))
    .option(
      "--min-p <p>",
      "keep those this likely next to the best (default: 0.05)",
      number("min-p"),
    )
    .option(
      "--typical, --typical-p <p>",
      "keep the most typical with this share; 1: off (default: 1)",
      number("typical-p"),
    )
    .option(
      "--repeat-penalty, --repetition-penalty <x>",
      "above 1 makes repetition less likely (default: 1)",
      number("repetition-penalty"),
    )
    .option(
      "--repeat-last-n, --repetition-window <n>",
      "how many tokens that looks back (default: 64)",
      number("repetition-window"),
    )
    .option(
      "--presence-penalty <x>",
      "taken once from tokens already generated (default: 0)",
      number("presence-penalty"),
    )
    .option(
      "--frequency-penalty <x>",
      "taken for each time they were (default: 0)",
      number("frequency-penalty"),
    )
    .option(
      "--logit-bias <id=x>",
      "added to a token's logit; -inf bans it; may be repeated",
      bias("logit-bias"),
    )
    .option("-s, --seed <n>", "same seed, same text (default: random)", number("seed"))
    .option("--stop <text>", "end before this text; may be repeated", texts)
    .option("--ignore-eos", "never choose an end token");
}

/**
 * Throws INVALID_ARGUMENT for options that the library would refuse, before a model is loaded;
 * where the vocabulary's size matters, after the file's header is read.
 */
export async function checkGenerateOptions(
  options: GenerateOptions,
  model?: string,
): Promise<void> {
  resolveOptions(options, Infinity);
  if (options.logitBias === undefined) return;
  resolveOptions(options, (await openTokenizer(model)).vocabSize);
}

/** The flags as options of the library. */
export function toGenerateOptions(flags: SamplingFlags): GenerateOptions {
  return {
    maxTokens: flags.maxTokens,
    temperature: flags.temperature,
    topK: flags.topK,
    topP: flags.topP,
    minP: flags.minP,
    typicalP: flags.typicalP,
    repetitionPenalty: flags.repetitionPenalty,
    repetitionWindow: flags.repetitionWindow,
    presencePenalty: flags.presencePenalty,
    frequencyPenalty: flags.frequencyPenalty,
    logitBias: flags.logitBias,
    seed: flags.seed,
    stop: flags.stop,
    logprobs: flags.logprobs,
    ignoreEos: flags.ignoreEos,
    special: flags.special,
  };
}
