/** `plm generate`: continues a text. */
import type { Command } from "commander";
import type { Session } from "../../engine/session.js";
import { PlmError } from "../../errors.js";
import { generate } from "../../generation/generate.js";
import type { Generation, GenerationResult } from "../../generation/generation.js";
import type { Model } from "../../generation/model.js";
import type { GenerateOptions } from "../../generation/options.js";
import { checkCount } from "../check-tokens.js";
import { styled } from "../colours.js";
import { addFile, addJson, addSession, addSpecial } from "../flags.js";
import { labelOf, readText, type TextInput } from "../input.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { note, showNotes, write, writeJson, writeLine } from "../output.js";
import { number } from "../parse.js";
import {
  addSamplingOptions,
  readGenerateOptions,
  type SamplingFlags,
} from "../sampling-options.js";
import { SessionFile } from "../session-file.js";

interface GenerateFlags extends ModelFlags, Omit<TextInput, "text">, SamplingFlags {
  readonly prompt?: string;
  readonly session?: string;
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
        "itself. The text is that of --prompt, of --file or of standard input. With --session, " +
        "it follows the text of the session, and may be empty.",
    )
    .option("-p, --prompt <text>", "the text to continue")
    .addHelpText("after", '\nExample:\n  plm generate --prompt "Once upon a time" --max-tokens 64');
  addSpecial(addSession(addFile(command)));
  addSamplingOptions(command, DEFAULT_MAX_TOKENS).option(
    "--logprobs <n>",
    "with --json: log probabilities, with n alternatives",
    number("logprobs"),
  );
  addJson(command, "{text, tokens, promptTokens, timings, finishReason, seed, ...}").option(
    "--verbose",
    "print speed and seed on standard error (always done on a terminal)",
  );
  addModelOptions(command).action((flags: GenerateFlags) =>
    withInterrupt((signal) => run(flags, signal)),
  );
}

async function run(flags: GenerateFlags, signal: AbortSignal): Promise<void> {
  const options: GenerateOptions = { ...(await readGenerateOptions(flags)), signal };
  const path = flags.session;
  const file = path === undefined ? undefined : await SessionFile.open(path, "text");
  const input = { text: flags.prompt, file: flags.file };
  const text = await readPrompt(input, file, signal);
  const model = await openModel(flags, signal);
  const session = await openSession(model, file, signal);
  const prompt = encodePrompt(text, labelOf(input, "prompt"), { model, session, flags });
  const end = session.length + prompt.length;
  if (file !== undefined) {
    // All that is generated is to fit into the session.
    options.maxTokens = Math.min(options.maxTokens ?? Infinity, session.contextLength - end);
  }
  // Without a text, the session's last token is repeated as it was generated.
  const promptPhase = text === "" ? "decode" : "prefill";
  const generation = generate(session, model.tokenizer, prompt, options, { promptPhase });
  const keep = async (tokens: readonly number[]): Promise<void> => {
    if (file === undefined) return;
    const rest = tokens.slice(session.length - end);
    if (rest.length > 0) await session.evaluate(rest, { logits: "none", phase: "decode" });
    await file.write(() => session.saveStream());
  };
  let result: GenerationResult;
  try {
    result = flags.json ? await generation.result() : await stream(text, generation, signal);
  } catch (error) {
    const { tokens } = generation.soFar();
    if (signal.aborted && tokens.length > 0) await keep(tokens);
    throw error;
  }
  await keep(result.tokens);
  if (flags.json) await writeJson(toJson(result));
  else if (flags.verbose || process.stderr.isTTY) note(describeTimings(result));
}

/** The text to continue; empty where a session has one, and nobody gives more. */
async function readPrompt(
  input: TextInput,
  file: SessionFile | undefined,
  signal: AbortSignal,
): Promise<string> {
  const isLeftOut = input.text === undefined && input.file === undefined;
  if (isLeftOut && file?.length && process.stdin.isTTY) return "";
  return readText(input, "prompt", signal);
}

async function openSession(
  model: Model,
  file: SessionFile | undefined,
  signal: AbortSignal,
): Promise<Session> {
  if (file?.length === undefined) return model.createSession();
  return file.restore((source) => model.restoreSession(source, { signal }));
}

/** The tokens to evaluate; without a text the session's last, for the logits after it. */
function encodePrompt(
  text: string,
  label: string,
  { model, session, flags }: { model: Model; session: Session; flags: GenerateFlags },
): number[] {
  const { length, contextLength } = session;
  const prompt = model.tokenizer.encode(text, { special: flags.special, addBos: length === 0 });
  if (prompt.length > 0) {
    checkCount(label, prompt.length, contextLength, length);
    return prompt;
  }
  if (length === 0) {
    throw new PlmError("EMPTY_PROMPT", `${label}: expected a text, got an empty one`);
  }
  checkCount("--session", length + 1, contextLength);
  const last = session.tokens.slice(-1);
  session.truncate(length - 1);
  return Array.from(last);
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
      await write(styled("dim", prompt));
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
