/** `plm batch`: answers the lines of a file in OpenAI's format of batches. */
import type { Command } from "commander";
import { PlmError } from "../../errors.js";
import { createLineServer } from "../batch/answer-line.js";
import { Answers } from "../batch/answers.js";
import {
  addPrefixCache,
  addQueueOptions,
  lineModelOptions,
  type PrefixCacheFlags,
  type QueueFlags,
  redisOption,
} from "../batch/flags.js";
import { type BatchLine, keyOf, type LineKey, readBatch } from "../batch/lines.js";
import { answerHere, type OutcomeSink } from "../batch/one-process.js";
import { tokensOf } from "../batch/outcome.js";
import { type BatchCounts, type BatchProgress, createBatchProgress } from "../batch/progress.js";
import { QueueBatch } from "../batch/queue-batch.js";
import { loadRedisPackages, parseRedisUrl, RedisLink } from "../batch/redis-link.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions } from "../options.js";
import { note, showNotes } from "../output.js";
import { refuseInputs } from "../output-file.js";
import {
  addServedModelOptions,
  openServedModel,
  type ServedModelFlags,
  servedName,
} from "../served-model.js";

interface BatchFlags extends ServedModelFlags, PrefixCacheFlags, QueueFlags {
  readonly redis?: string;
}

export function addBatch(program: Command): void {
  const command = program
    .command("batch")
    .summary("answer the requests of a file")
    .description(
      "Answers each line of a file in the format of OpenAI's batches, as plm serve would, and " +
        "appends the answers to another file as they come. A batch that was ended, by whatever, " +
        "goes on when the command is given again. With --redis, plm worker answers, in any " +
        "number of processes (docs/batch.md).",
    )
    .argument("<in>", 'JSON lines {"custom_id", "method", "url", "body"}')
    .argument("<out>", "the file to write, or to go on with");
  addModelOptions(addPrefixCache(addServedModelOptions(command)));
  const own = new Set(command.options.map((option) => option.attributeName()));
  addQueueOptions(command.addOption(redisOption()))
    .addHelpText("after", "\nExample:\n  plm batch requests.jsonl answers.jsonl")
    .action((from: string, out: string, flags: BatchFlags) => {
      if (flags.redis !== undefined) refuseModelFlags(command, own);
      return withInterrupt((signal) => run(from, out, flags, signal));
    });
}

/** Throws INVALID_ARGUMENT for a flag of the model where the workers have it. */
function refuseModelFlags(command: Command, names: ReadonlySet<string>): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (!names.has(name) || command.getOptionValueSource(name) !== "cli") continue;
    const message = `${option.long}: expected it for plm worker, got it beside --redis`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
}

async function run(
  from: string,
  out: string,
  flags: BatchFlags,
  signal: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  await refuseInputs({ path: out, label: "out" }, [from]);
  const keys = new Set<LineKey>();
  for await (const line of readBatch(from)) {
    signal.throwIfAborted();
    keys.add(keyOf(line));
  }
  const answers = await Answers.open(out, keys);
  const begun = answers.keys.size;
  let tokens = 0;
  const count = (): BatchCounts => {
    return { lines: answers.keys.size, failed: answers.failed, tokens };
  };
  try {
    if (begun > 0) note(`${out} has the answers to ${begun} of ${keys.size} lines`);
    const progress = createBatchProgress(keys.size, count());
    const sink: OutcomeSink = async (line, outcome) => {
      await answers.add(line, outcome);
      tokens += tokensOf(outcome);
      progress.update(count());
    };
    const work = { lines: missingLines(from, answers.keys), sink, progress, flags };
    const answer = flags.redis === undefined ? answerInProcess : answerInQueue;
    try {
      if (begun < keys.size) await answer(work, signal);
    } finally {
      progress.stop();
    }
  } catch (error) {
    if (signal.aborted) {
      note(`${out} has ${answers.keys.size} of ${keys.size} lines: the same command goes on`);
      showNotes();
    }
    throw error;
  } finally {
    await answers.close();
  }
  conclude(out, keys.size, count(), (performance.now() - startMs) / 1000);
}

/** Says what was done. Throws INVALID_ARGUMENT if a line was not answered as it asked. */
function conclude(
  out: string,
  total: number,
  { failed, tokens }: BatchCounts,
  seconds: number,
): void {
  if (failed > 0) {
    const got = `${failed} of ${total} that were not`;
    const message = `in: expected lines that are all answered, got ${got}; ${out} says why`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  note(`${out}: all ${total} lines are answered, ${tokens} tokens in ${seconds.toFixed(1)} s`);
}

/** The lines that are not answered yet. */
async function* missingLines(
  path: string,
  answered: ReadonlySet<LineKey>,
): AsyncGenerator<BatchLine, void> {
  for await (const line of readBatch(path)) if (!answered.has(keyOf(line))) yield line;
}

/** What answers lines. */
interface BatchWork {
  readonly lines: AsyncGenerator<BatchLine, void>;
  readonly sink: OutcomeSink;
  readonly progress: BatchProgress;
  readonly flags: BatchFlags;
}

async function answerInProcess(
  { lines, sink, progress, flags }: BatchWork,
  signal: AbortSignal,
): Promise<void> {
  const model = await openServedModel(flags, signal, lineModelOptions(flags));
  showNotes();
  try {
    const handler = await createLineServer(model, servedName(flags));
    progress.start();
    await answerHere(lines, { handler, model }, sink, signal);
  } finally {
    model.dispose();
  }
}

async function answerInQueue(
  { lines, sink, progress, flags }: BatchWork,
  signal: AbortSignal,
): Promise<void> {
  const url = parseRedisUrl(flags.redis!);
  const packages = await loadRedisPackages();
  const timeoutMs = 1000 * flags.redisTimeout;
  const tell = (line: string): void => progress.tell(line);
  const link = new RedisLink(url, packages, { timeoutMs, signal, tell });
  try {
    await link.ready();
    progress.start();
    showNotes();
    const parts = { packages, link, name: flags.queue, sink, tell, timeoutMs };
    const batch = new QueueBatch(parts, lines);
    try {
      await batch.run();
    } finally {
      batch.close();
    }
  } finally {
    link.close();
  }
}
