/** `plm train`: trains a PLM from texts. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { excessOfThreads, plannedThreads } from "../../engine/options.js";
import { PlmError } from "../../errors.js";
import type { TokenizedText } from "../../training/data/corpus.js";
import { createTrainingEngine } from "../../training/engine/create-engine.js";
import type { TrainingEngine } from "../../training/engine/engine.js";
import { Checkpoints } from "../../training/run/checkpoints.js";
import type { TrainingConfig } from "../../training/run/config.js";
import type { LogLine } from "../../training/run/log.js";
import { parseTrainingConfig } from "../../training/run/parse-config.js";
import { Trainer } from "../../training/trainer.js";
import { folderStore } from "../checkpoint-store.js";
import { addJson, addThreads } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { formatBytes, note, showNotes, writeJson, writeLine } from "../output.js";
import { createTrainingProgress } from "../training-progress.js";
import {
  checkPrompt,
  hasModel,
  RunFolder,
  readTexts,
  type TrainingRun,
  tokenizeTexts,
  trainVocabulary,
  writeSample,
} from "../training-run.js";

interface TrainFlags {
  readonly out: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Steps between two versions of the report. */
const REPORT_STEPS = 100;

export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .summary("train a model from texts")
    .description(
      "Trains a PLM, tokenizer and all, as a JSON config says. The folder of --out gets " +
        "log.jsonl, report.html, model.gguf (Q8_0, the best on held-out text so far) and " +
        "checkpoints; a run that was ended, by whatever, goes on from there exactly when the " +
        "command is given again. The schedule of steps to come may have changed then: a longer " +
        "run can go on, in a folder of its own, from the checkpoint of the last stable step, " +
        "which is kept.",
    )
    .argument("<config>", "the config, a JSON file; paths in it are relative to it")
    .requiredOption("-o, --out <folder>", "the folder of the run");
  addThreads(command, "all processors");
  addJson(command, "{steps, tokens, loss, evaluation, seconds}")
    .addHelpText("after", "\nExample:\n  plm train stories.json --out run")
    .action((path: string, flags: TrainFlags) =>
      withInterrupt((signal) => run(path, flags, signal)),
    );
}

async function run(path: string, flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const startMs = performance.now();
  const config = parseTrainingConfig(await readConfig(path));
  const threads = plannedThreads(flags.threads);
  const excess = excessOfThreads(flags.threads);
  if (excess) note(`threads: ${threads}: ${excess.message}`);
  const texts = await readTexts(config, path);
  await turn(signal);
  const vocabulary = await trainVocabulary(config, texts);
  checkPrompt(config, vocabulary);
  await turn(signal);
  const tokenized = tokenizeTexts(texts, vocabulary);
  await turn(signal);
  const { tokens, contextLength } = config.batch;
  const engine = await createTrainingEngine({
    config: config.model,
    sizes: { tokens, contextLength, threads },
    onPlan: (plan) => note(`memory: ${formatBytes(plan.bytes())}`),
  });
  const { threadFailure } = engine;
  if (threadFailure) note(`threads: ${engine.threads}: ${threadFailure.message}`);
  const name = config.name ?? basename(path, ".json");
  try {
    const trainer = createTrainer(config, engine, tokenized, flags.out);
    const resumed = await trainer.start();
    const count = `${engine.threads} thread${engine.threads === 1 ? "" : "s"}`;
    note(`${engine.parameters.length} parameters, ${count}`);
    for (const { error } of resumed?.damaged ?? []) note(`passed over ${error.message}`);
    if (resumed !== undefined) note(`goes on from ${resumed.name}`);
    const learning = { name, config, engine, vocabulary };
    const folder = await RunFolder.open(flags.out, learning, trainer.step);
    showNotes();
    const begun = trainer.step;
    await follow(trainer, folder, learning, signal);
    const seconds = (performance.now() - startMs) / 1000;
    const { tokens, loss, evaluation } = folder.last ?? {};
    const result = { steps: trainer.step, tokens, loss, evaluation };
    if (flags.json) await writeJson({ ...result, seconds });
    else await tell(result, trainer.step > begun);
  } finally {
    engine.dispose();
  }
}

function createTrainer(
  config: TrainingConfig,
  engine: TrainingEngine,
  tokenized: ReadonlyMap<string, TokenizedText>,
  out: string,
): Trainer {
  const checkpoints = new Checkpoints(folderStore(out), config);
  const heldOut = config.evaluation && tokenized.get(config.evaluation.text);
  const names = new Set(Object.values(config.phases).flatMap((mix) => Object.keys(mix)));
  const texts = [...names].map((name) => tokenized.get(name)!);
  const lacksBest = !hasModel(out);
  const parts = { config, engine, texts, checkpoints, lacksBest };
  return new Trainer(heldOut === undefined ? parts : { ...parts, heldOut });
}

/** Trains to the end, and writes progress, log, report and models. */
async function follow(
  trainer: Trainer,
  folder: RunFolder,
  run: TrainingRun,
  signal: AbortSignal,
): Promise<void> {
  const { config } = run;
  const progress = createTrainingProgress(config.schedule.steps, trainer.step);
  try {
    await trainer.run(
      {
        onStep: async (line) => {
          progress.update(line);
          await folder.log(line);
          if (line.step % REPORT_STEPS === 0) await folder.report();
        },
        onBest: () => folder.writeModel(),
        onSample: (prompt, count) => writeSample(run, prompt, count),
        onTurn: turn,
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted) note(`stopped after step ${trainer.step}: the same command goes on`);
    throw error;
  } finally {
    progress.stop();
    showNotes();
    await folder.report();
  }
  if (config.evaluation === undefined) await folder.writeModel();
}

/** Lets the event loop run, so that Ctrl-C is noticed. */
async function turn(signal?: AbortSignal): Promise<void> {
  await new Promise((done) => setImmediate(done));
  signal?.throwIfAborted();
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const message = `config: expected a readable file, got ${(cause as Error).message}`;
    throw new PlmError("INVALID_CONFIG", message, { cause });
  }
}

/** The result of a run: everything except the steps is from its log, which may be missing. */
interface RunResult extends Partial<Pick<LogLine, "tokens" | "loss" | "evaluation">> {
  readonly steps: number;
}

async function tell({ steps, tokens, loss, evaluation }: RunResult, isNew: boolean): Promise<void> {
  const parts = [`${steps} steps`];
  if (tokens !== undefined) parts.push(`${tokens} tokens`);
  if (typeof loss === "number") parts.push(`loss ${loss.toFixed(4)}`);
  if (evaluation) parts.push(`${evaluation.bitsPerByte.toFixed(4)} bits per byte held out`);
  await writeLine(`${isNew ? "" : "nothing to do, the run had ended: "}${parts.join(", ")}`);
}
