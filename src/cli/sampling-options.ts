/** The options of sampling, for the commands that generate. */
import { type Command, Option } from "commander";
import {
  type GenerateOptions,
  type ResolvedOptions,
  resolveOptions,
} from "../generation/options.js";
import { SAMPLERS } from "../generation/samplers.js";
import { addSeed } from "./flags.js";
import { openTokenizer } from "./options.js";
import { type BiasMap, bias, number, texts, words } from "./parse.js";
import {
  addResponseFormat,
  type ResponseFormatFlags,
  readResponseFormat,
} from "./response-format.js";

/** The flags that addSamplingOptions adds, with names and meaning as in GenerateOptions. */
export type SamplingFlags = Omit<
  GenerateOptions,
  "logitBias" | "stop" | "signal" | "responseFormat"
> &
  ResponseFormatFlags & {
    readonly logitBias?: BiasMap;
    readonly stop?: string[];
  };

/** Every option of the library with its default. */
const DEFAULTS = resolveOptions({}, Infinity);

/** Flags of numbers: kebab-case of GenerateOptions, with llama.cpp's names where they differ. */
const NUMBERS: readonly [flags: string, help: string][] = [
  ["--temp, --temperature <t>", "0 always takes the best token, above 1 flattens"],
  ["--top-k <k>", "keep the k best tokens; 0: all"],
  ["--top-p <p>", "keep the best with this share of the probability"],
  ["--min-p <p>", "keep those this probable relative to the best"],
  ["--typical, --typical-p <p>", "keep the most typical with this share; 1: off"],
  ["--top-nsigma, --top-n-sigma <n>", "keep those within n deviations of the best; 0: all"],
  ["--xtc-probability <p>", "how often XTC excludes the best tokens"],
  ["--xtc-threshold <p>", "the probability from which it does, the least of them excepted"],
  ["--dynatemp-range <t>", "how far the temperature moves with the entropy; 0: not"],
  ["--dynatemp-exp, --dynatemp-exponent <x>", "the power of the entropy's share"],
  ["--mirostat <n>", "1 or 2: keep the surprise near a target instead of truncating; 0: off"],
  ["--mirostat-ent, --mirostat-tau <bits>", "mirostat's target"],
  ["--mirostat-lr, --mirostat-eta <x>", "how fast mirostat's limit moves"],
  ["--repeat-penalty, --repetition-penalty <x>", "above 1 makes repetition less likely"],
  ["--repeat-last-n, --repetition-window <n>", "how many tokens the repeat penalty looks back"],
  ["--presence-penalty <x>", "subtracted once from tokens already generated"],
  ["--frequency-penalty <x>", "subtracted for each time they were generated"],
  ["--dry-multiplier <x>", "makes tokens less likely that go on with a repetition; 0: off"],
  ["--dry-base <x>", "how much more for each token that it is longer"],
  ["--dry-allowed-length <n>", "from how many repeated tokens on"],
  ["--dry-penalty-last-n, --dry-window <n>", "how many tokens DRY looks back"],
];

/** Adds the flags of sampling; `maxTokens` is the command's own default. */
export function addSamplingOptions(command: Command, maxTokens: number): Command {
  command.option(
    "-n, --max-tokens <n>",
    "most tokens to generate; Infinity: until an end token or a full context",
    number("max-tokens"),
    maxTokens,
  );
  for (const [flags, help] of NUMBERS) {
    const option = new Option(flags);
    const fallback = DEFAULTS[option.attributeName() as keyof ResolvedOptions];
    option.description = `${help} (default: ${fallback})`;
    command.addOption(option.argParser(number(option.name())));
  }
  addResponseFormat(command);
  return addSeed(command)
    .option(
      "--logit-bias <id=x>",
      "added to a token's logit; -inf bans it; may be repeated",
      bias("logit-bias"),
    )
    .option("--samplers <names>", `steps in order; default: ${SAMPLERS.join(",")}`, words)
    .option(
      "--dry-sequence-breaker, --dry-sequence-breakers <text>",
      "what ends a repetition; may be repeated; default: line breaks, colons, quotes, asterisks",
      texts,
    )
    .option("--stop <text>", "end before this text; may be repeated", texts)
    .option("--ignore-eos", "never choose an end token");
}

/**
 * The library's options among the flags. Throws INVALID_ARGUMENT for what the library would refuse,
 * before a model is loaded. To check biases it reads the file's header, for the vocabulary's size.
 */
export async function readGenerateOptions(
  flags: SamplingFlags & { readonly model?: string },
): Promise<GenerateOptions> {
  const given = Object.entries(flags).filter(([name]) => Object.hasOwn(DEFAULTS, name));
  const responseFormat = await readResponseFormat(flags);
  const options: GenerateOptions = {
    ...Object.fromEntries(given),
    ...(responseFormat !== undefined && { responseFormat }),
  };
  resolveOptions(options, Infinity);
  if (options.logitBias === undefined) return options;
  resolveOptions(options, (await openTokenizer(flags.model)).vocabSize);
  return options;
}
