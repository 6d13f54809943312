/** `plm perplexity`: how well the model predicts a text, measured as in llama.cpp. */
import { type Command, Option } from "commander";
import type { Session } from "../../engine/session.js";
import { PlmError } from "../../errors.js";
import { addFile, addJson } from "../flags.js";
import { labelOf, readText } from "../input.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { showNotes, write, writeJson, writeLine } from "../output.js";
import { integer } from "../parse.js";

interface PerplexityFlags extends ModelFlags {
  readonly file?: string;
  readonly context: number;
  readonly chunks?: number;
  readonly json?: boolean;
}

/** Positions whose logits are in memory at once. */
const LOGITS_POSITIONS = 64;

export function addPerplexity(program: Command): void {
  const command = program
    .command("perplexity")
    .summary("how well the model predicts a text")
    .description(
      "Cuts a text into chunks of --context (also --ctx) tokens, evaluates each from an empty " +
        "cache, and scores the second half of each: the numbers compare with those of llama.cpp. " +
        "The text is that of --file or of standard input; it is tokenised without special tokens " +
        "and without normalisation. Where the file asks for a begin token, that takes the place " +
        "of each chunk's first. The cache is f32 and the precision exact unless you choose " +
        "others, so that the numbers are the model's own.",
    )
    .addOption(
      new Option("--chunks <n>", "most chunks to evaluate")
        .argParser(integer("chunks", 1))
        .default(undefined, "all"),
    );
  addJson(addFile(command), "{perplexity, tokens, chunks, context}");
  const context = { least: 4, fallback: 512 };
  addModelOptions(command, { context, cache: "f32", precision: "exact" })
    .addHelpText(
      "after",
      '\nExample:\n  plm generate --prompt "Once" --max-tokens 99 | plm perplexity --ctx 32',
    )
    .action((flags: PerplexityFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run(flags: PerplexityFlags, signal: AbortSignal): Promise<void> {
  const { context: ctx } = flags;
  const text = await readText(flags, "file", signal);
  const model = await openModel(flags, signal);
  const { tokenizer } = model;
  const bosTokenId = tokenizer.addBosToken ? tokenizer.bosTokenId : undefined;
  const tokens = tokenizer.encode(text, { normalize: "none", addBos: true });
  if (tokens.length < ctx) {
    const expected = `expected at least one chunk of ${ctx} tokens (--context)`;
    const got = `got ${tokens.length} tokens`;
    throw new PlmError("INVALID_ARGUMENT", `${labelOf(flags, "file")}: ${expected}, ${got}`);
  }
  const chunks = Math.min(Math.floor(tokens.length / ctx), flags.chunks ?? Infinity);
  const session = model.createSession();
  let sum = 0;
  let count = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const chunkTokens = tokens.slice(chunk * ctx, (chunk + 1) * ctx);
    if (bosTokenId !== undefined) chunkTokens[0] = bosTokenId;
    const losses = await scoreChunk(session, chunkTokens, signal);
    for (const loss of losses) sum += loss;
    count += losses.length;
    if (flags.json) continue;
    showNotes();
    await write(`${chunk === 0 ? "" : " "}[${chunk + 1}]${Math.exp(sum / count).toFixed(4)}`);
  }
  const perplexity = Math.exp(sum / count);
  if (flags.json) return writeJson({ perplexity, tokens: count, chunks, context: ctx });
  await writeLine(`\nperplexity ${perplexity.toFixed(4)} over ${count} tokens`);
}

/**
 * Evaluates a chunk from an empty cache. Returns the negative log probabilities, in nats, of its
 * tokens from position n / 2 + 1 on.
 */
async function scoreChunk(
  session: Session,
  tokens: readonly number[],
  signal: AbortSignal,
): Promise<number[]> {
  const scoredFrom = Math.floor(tokens.length / 2);
  const end = tokens.length - 1;
  session.truncate(0);
  await session.evaluate(tokens.slice(0, scoredFrom), { logits: "none", signal });
  const losses: number[] = [];
  for (let first = scoredFrom; first < end; first += LOGITS_POSITIONS) {
    const last = Math.min(first + LOGITS_POSITIONS, end);
    const logits = await session.evaluate(tokens.slice(first, last), { logits: "all", signal });
    for (let i = first; i < last; i++) {
      const row = logits.subarray(
        (i - first) * session.vocabSize,
        (i - first + 1) * session.vocabSize,
      );
      losses.push(negativeLogProbability(row, tokens[i + 1]));
    }
  }
  return losses;
}

/** -log softmax(logits)[token], in f64. */
function negativeLogProbability(logits: Float32Array, token: number): number {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i] - largest);
  return largest + Math.log(total) - logits[token];
}
