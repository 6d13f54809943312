/** A progress bar on standard error, if that is a terminal and the work takes a while. */
import cliProgress from "cli-progress";
import type { LoadProgress } from "../loading/read-weights.js";
import { formatBytes } from "./output.js";

/** Shorter work shows no bar. */
const PATIENCE_MS = 300;

/** A progress display. */
export interface ProgressBar {
  update(progress: LoadProgress): void;
  /** Removes the bar. */
  stop(): void;
}

/** A bar that appears after a moment; nothing if standard error is not a terminal. */
export function createProgressBar(label: string): ProgressBar {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const startMs = performance.now();
  let bar: cliProgress.SingleBar | undefined;
  return {
    update({ loadedBytes, totalBytes }) {
      if (performance.now() - startMs < PATIENCE_MS) return;
      if (bar === undefined) {
        const format = `${label} [{bar}] {percentage} % of ${formatBytes(totalBytes)}`;
        const options = { format, stream: process.stderr, clearOnComplete: true };
        bar = new cliProgress.SingleBar(options, cliProgress.Presets.legacy);
        bar.start(totalBytes, loadedBytes);
      }
      bar.update(loadedBytes);
    },
    stop: () => bar?.stop(),
  };
}
