/** `plm train`: trains a PLM from texts. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import cliProgress from "cli-progress";
import type { Command } from "commander";
import { PlmError } from "../../errors.js";
import { Checkpoints } from "../../training/checkpoints.js";
import type { TrainingConfig } from "../../training/config.js";
import { createTrainingEngine } from "../../training/create-engine.js";
import type { LogLine } from "../../training/log.js";
import { parseTrainingConfig } from "../../training/parse-config.js";
import { Trainer } from "../../training/trainer.js";
import { folderStore } from "../checkpoint-store.js";
import { withInterrupt } from "../interrupt.js";
import { formatBytes, note, writeJson, writeLine } from "../output.js";
import { number } from "../parse.js";
import {
  RunFolder,
  readTexts,
  tokenizeTexts,
  trainVocabulary,
  writeSample,
} from "../training-run.js";
import { startTrainingThread } from "../training-thread.js";

interface TrainFlags {
  readonly out: string;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Steps between two drawings of the report. */
const REPORT_STEPS = 100;

export function addTrain(program: Command): void {
  program
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
    .requiredOption("-o, --out <folder>", "the folder of the run")
    .option("-t, --threads <n>", "threads; all processors by default", number("threads"))
    .option("--json", "print {steps, tokens, loss, evaluation, seconds} at the end")
    .addHelpText("after", "\nExample:\n  plm train stories.json --out run")
    .action((path: string, flags: TrainFlags) =>
      withInterrupt((signal) => run(path, flags, signal)),
    );
}

async function run(path: string, flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const startMs = performance.now();
  const config = parseTrainingConfig(await readConfig(path));
  const texts = await readTexts(config, path);
  const vocabulary = await trainVocabulary(config, texts);
  const tokenized = tokenizeTexts(texts, vocabulary);
  const threads = checkThreads(flags.threads ?? availableParallelism());
  const { tokens, contextLength } = config.batch;
  const engine = await createTrainingEngine({
    config: config.model,
    sizes: { tokens, contextLength, threads },
    startThread: startTrainingThread,
    onPlan: (plan) => note(`memory: ${formatBytes(plan.bytes())}`),
  });
  try {
    const checkpoints = new Checkpoints(folderStore(flags.out), config);
    const heldOut = config.evaluation && tokenized.get(config.evaluation.text);
    const names = new Set(Object.values(config.phases).flatMap((mix) => Object.keys(mix)));
    const inMixes = [...names].map((name) => tokenized.get(name)!);
    const parts = { config, engine, texts: inMixes, checkpoints };
    const trainer = new Trainer(heldOut === undefined ? parts : { ...parts, heldOut });
    const resumed = await trainer.start();
    note(`${engine.parameters.length} parameters, ${threads} thread${threads === 1 ? "" : "s"}`);
    if (resumed !== undefined) note(`goes on from ${resumed}`);
    const folder = await RunFolder.open(flags.out, config, trainer.step);
    const title = basename(path, ".json");
    const progress = createProgress(config, trainer.step);
    let last: LogLine | undefined;
    try {
      await trainer.run(
        {
          onStep: async (line) => {
            last = line;
            progress.update(line);
            await folder.log(line);
            if (line.step % REPORT_STEPS === 0) await folder.report(title);
          },
          onBest: () => folder.writeModel(engine, vocabulary),
          onSample: (prompt, count) => writeSample(engine, vocabulary, prompt, count),
          onTurn: () => new Promise((done) => setImmediate(done)),
        },
        signal,
      );
    } finally {
      progress.stop();
      await folder.report(title);
    }
    if (config.evaluation === undefined) await folder.writeModel(engine, vocabulary);
    await tell(last, flags, (performance.now() - startMs) / 1000);
  } finally {
    engine.dispose();
  }
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const message = `config: expected a readable file, got ${(cause as Error).message}`;
    throw new PlmError("INVALID_CONFIG", message, { cause });
  }
}

function checkThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= 64) return threads;
  const message = `--threads: expected an integer from 1 to 64, got ${threads}`;
  throw new PlmError("INVALID_ARGUMENT", message);
}

async function tell(last: LogLine | undefined, flags: TrainFlags, seconds: number): Promise<void> {
  if (last === undefined) return writeLine("nothing to do: the run had ended");
  const { step, tokens, loss, evaluation } = last;
  if (flags.json) return writeJson({ steps: step, tokens, loss, evaluation, seconds });
  const held = evaluation && `, ${evaluation.bitsPerByte.toFixed(4)} bits per byte held out`;
  await writeLine(`${step} steps, ${tokens} tokens, loss ${loss?.toFixed(4)}${held ?? ""}`);
}

/** A bar of steps on standard error, where that is a terminal. */
function createProgress(
  config: TrainingConfig,
  step: number,
): { update(line: LogLine): void; stop(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const format =
    "[{bar}] {value}/{total} steps, loss {loss}, rate {rate}, {speed} tokens/s, {eta_formatted}";
  const options = { format, stream: process.stderr, etaBuffer: 50 };
  const bar = new cliProgress.SingleBar(options, cliProgress.Presets.legacy);
  bar.start(config.schedule.steps, step, { loss: "-", rate: "-", speed: "-" });
  return {
    update: ({ step: value, loss, rate, tokensPerSecond }) =>
      bar.update(value, {
        loss: loss?.toFixed(3),
        rate: rate.toExponential(1),
        speed: Math.round(tokensPerSecond),
      }),
    stop: () => bar.stop(),
  };
}
