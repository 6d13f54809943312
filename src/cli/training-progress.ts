/** A training run's progress on standard error: a bar on a terminal, else a line now and then. */
import cliProgress from "cli-progress";
import type { LogLine } from "../training/run/log.js";

export interface TrainingProgress {
  /** To be called after every step. */
  update(line: LogLine): void;
  stop(): void;
}

/** Milliseconds between two lines without a terminal. */
const LINE_MS = 60_000;

/** The progress of a run of `steps` steps, `step` of which are done. */
export function createTrainingProgress(steps: number, step: number): TrainingProgress {
  return process.stderr.isTTY ? createBar(steps, step) : { update: writeLines(steps), stop() {} };
}

function createBar(steps: number, step: number): TrainingProgress {
  const format =
    "[{bar}] {value}/{total} steps, loss {loss}, rate {rate}, {speed} tokens/s, {eta_formatted}";
  const options = { format, stream: process.stderr, etaBuffer: 50 };
  const bar = new cliProgress.SingleBar(options, cliProgress.Presets.legacy);
  bar.start(steps, step, { loss: "-", rate: "-", speed: "-" });
  return { update: (line) => bar.update(line.step, numbersOf(line)), stop: () => bar.stop() };
}

function writeLines(steps: number): (line: LogLine) => void {
  let lastMs = -Infinity;
  return (line) => {
    const { step, evaluation } = line;
    const isDue = performance.now() >= lastMs + LINE_MS;
    if (!isDue && step !== steps && evaluation === undefined) return;
    lastMs = performance.now();
    const { loss, rate, speed } = numbersOf(line);
    const held = evaluation && `, ${evaluation.bitsPerByte.toFixed(4)} bits per byte held out`;
    process.stderr.write(
      `plm: ${step}/${steps} steps, loss ${loss}, rate ${rate}, ${speed} tokens/s${held ?? ""}\n`,
    );
  };
}

function numbersOf({ loss, rate, tokensPerSecond }: LogLine): Record<string, string> {
  return {
    loss: loss?.toFixed(3) ?? "-",
    rate: rate.toExponential(1),
    speed: `${Math.round(tokensPerSecond)}`,
  };
}
