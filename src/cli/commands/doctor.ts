/** `plm doctor`: what this machine can do, and what is chosen on it. */
import type { Command } from "commander";
import { plannedThreads } from "../../engine/options.js";
import { loadModel } from "../../generation/load-model.js";
import { describeError } from "../describe-error.js";
import { benchmark } from "../doctor/benchmark.js";
import { explainChoice } from "../doctor/choice.js";
import { describeReport } from "../doctor/describe.js";
import { readFacts } from "../doctor/facts.js";
import { findFeatures } from "../doctor/features.js";
import type { Benchmark, Choice, Report } from "../doctor/report.js";
import { withoutPaths } from "../doctor/without-paths.js";
import { addJson } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { SHIPPED_MODEL } from "../options.js";
import { note, showNotes, writeJson, writeLine } from "../output.js";

interface DoctorFlags {
  readonly quick?: boolean;
  readonly json?: boolean;
}

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("what this machine can do, for bug reports")
    .description(
      "Prints the versions, the processor, the memory and the features of this runtime, what is " +
        "chosen on this machine and why, and how fast the model that ships is on one thread and " +
        "on all, which takes about ten seconds. Paste it into a bug report: it names no user, no " +
        "path and no variable.",
    )
    .option("--quick", "without the benchmark");
  addJson(command, "{version, runtime, platform, processor, memory, features, choice, ...}")
    .addHelpText("after", "\nExample:\n  plm doctor --quick")
    .action((flags: DoctorFlags) => withInterrupt((signal) => run(flags, signal)));
}

async function run({ quick, json }: DoctorFlags, signal: AbortSignal): Promise<void> {
  if (!quick && process.stderr.isTTY) {
    note("measuring for about ten seconds");
    showNotes();
  }
  const features = await findFeatures(SHIPPED_MODEL);
  let choice: Choice | null = null;
  let rates: Benchmark | null = null;
  const problems: string[] = [];
  try {
    const model = await loadModel(SHIPPED_MODEL, { threads: plannedThreads(undefined), signal });
    choice = await explainChoice(model, features);
    model.dispose();
    if (!quick) rates = await benchmark(SHIPPED_MODEL, countsOf(), signal);
  } catch (error) {
    signal.throwIfAborted();
    // A machine on which nothing runs is what a report is for.
    problems.push(describeError(error));
  }
  const found: Report = { ...readFacts(), features, choice, benchmark: rates, problems };
  const report = withoutPaths(found);
  if (json) await writeJson(report);
  else await writeLine(describeReport(report));
}

/** One thread and the most that a model can have; the same where there is one processor. */
function countsOf(): ReadonlySet<number> {
  return new Set([1, plannedThreads(undefined)]);
}
