/** `plm generate`: continues a text. */
import type { Command } from "commander";
import { PlmError } from "../../errors.js";
import type { Generation, GenerationResult } from "../../generation/generation.js";
import { checkCount } from "../check-tokens.js";
import { labelOf, readText, type TextInput } from "../input.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { dim, note, showNotes, write, writeJson, writeLine } from "../output.js";
import { number } from "../parse.js";
import {
  addSamplingOptions,
  checkGenerateOptions,
  type SamplingFlags,
  toGenerateOptions,
} from "../sampling-options.js";

interface GenerateFlags extends ModelFlags, Omit<TextInput, "text">, SamplingFlags {
  readonly prompt?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const DEFAULT_MAX_TOKENS = 128;

export function addGenerate(program: Command): void {
  const command = program
    .command("generate")
    .summary("continue a text")
    .description(
      "Continues a text and prints the continuation as it comes, on a terminal after the text " +
        "itself. The text is that of --prompt, of --file or of standard input.",
    )
    .option("-p, --prompt <text>", "the text to continue")
    .option("-f, --file <file>", "a file with the text to continue")
    .option(
      "--special",
      "parse special tokens such as <|im_start|> in the text, and show those that the model writes",
    );
  addSamplingOptions(command, DEFAULT_MAX_TOKENS)
    .option(
      "--logprobs <n>",
      "with --json: log probabilities, with n alternatives",
      number("logprobs"),
    )
    .option(
      "--json",
      "print {text, tokens, promptTokens, timings, finishReason, seed}, and what ended it, instead",
    )
    .option("--verbose", "print speed and seed on standard error (always done on a terminal)");
  addModelOptions(command)
    .addHelpText("after", '\nExample:\n  plm generate --prompt "Once upon a time" --max-tokens 64')
    .action((flags: GenerateFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: GenerateFlags, signal: AbortSignal): Promise<void> {
  const options = { ...toGenerateOptions(flags), signal };
  await checkGenerateOptions(options, flags.model);
  const input = { text: flags.prompt, file: flags.file };
  const text = await readText(input, "prompt", signal);
  const label = labelOf(input, "prompt");
  const model = await openModel(flags, signal);
  const prompt = model.tokenizer.encode(text, { special: flags.special, addBos: true });
  if (prompt.length === 0) {
    throw new PlmError("EMPTY_PROMPT", `${label}: expected a text, got an empty one`);
  }
  checkCount(label, prompt.length, model.plan.options.contextLength);
  const generation = model.generate(prompt, options);
  if (flags.json) {
    await writeJson(toJson(await generation.result()));
    return;
  }
  const result = await stream(text, generation, signal);
  if (flags.verbose || process.stderr.isTTY) note(describeTimings(result));
}

/**
 * Prints the pieces as they come, and a newline, also after Ctrl-C. On a terminal they follow the
 * prompt, which they go on from; elsewhere they stand alone.
 */
async function stream(
  prompt: string,
  generation: Generation,
  signal: AbortSignal,
): Promise<GenerationResult> {
  const isTerminal = process.stdout.isTTY === true;
  try {
    if (isTerminal) {
      showNotes();
      await write(dim(prompt));
    }
    for await (const piece of generation) {
      showNotes();
      await write(piece);
    }
  } catch (error) {
    if (signal.aborted || isTerminal) await writeLine();
    throw error;
  }
  await writeLine();
  return generation.result();
}

function toJson(result: GenerationResult): object {
  const { text, tokens, promptTokens, timings, ...rest } = result;
  return { text, tokens, promptTokens, timings, ...rest };
}

/** One line about a generation: how many tokens, how fast, why it ended. */
function describeTimings({
  tokens,
  promptTokens,
  finishReason,
  seed,
  timings,
}: GenerationResult): string {
  const rate = (tokensPerSecond: number): string => `${tokensPerSecond.toFixed(1)} tokens/s`;
  return (
    `prompt ${promptTokens} tokens, ${rate(timings.prefillTokensPerSecond)}; ` +
    `generated ${tokens.length} tokens, ${rate(timings.tokensPerSecond)}; ` +
    `ended by ${finishReason}; seed ${seed}`
  );
}
