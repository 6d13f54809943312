/** A progress bar on standard error, if that is a terminal and the work takes a while. */
import cliProgress from "cli-progress";
import type { TransferProgress } from "../sources/transfer-rate.js";
import { formatBytes } from "./output.js";

/** Shorter work shows no bar. */
const PATIENCE_MS = 300;

/** Bytes so far, and the rate where it is known. */
type Progress = Pick<TransferProgress, "loadedBytes" | "totalBytes"> & Partial<TransferProgress>;

/** A progress display. */
export interface ProgressBar {
  update(progress: Progress): void;
  /** Removes the bar. */
  stop(): void;
}

/** A bar that appears after a moment; nothing if standard error is not a terminal. */
export function createProgressBar(label: string): ProgressBar {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const startMs = performance.now();
  let bar: cliProgress.SingleBar | undefined;
  return {
    update({ loadedBytes, totalBytes, bytesPerSecond, secondsLeft }) {
      if (performance.now() - startMs < PATIENCE_MS) return;
      if (bar === undefined) {
        const format = `${label} [{bar}] {percentage} % of {size}{rate}`;
        const options = { format, stream: process.stderr, clearOnComplete: true };
        bar = new cliProgress.SingleBar(options, cliProgress.Presets.legacy);
        bar.start(totalBytes, loadedBytes, { size: "", rate: "" });
      }
      // A download of several files learns their sizes one by one.
      bar.setTotal(totalBytes);
      const rate = formatRate(bytesPerSecond, secondsLeft);
      bar.update(loadedBytes, { size: formatBytes(totalBytes), rate });
    },
    stop: () => bar?.stop(),
  };
}

/** ", 12.3 MB/s, 1:05 left"; empty while it is not known. */
function formatRate(bytesPerSecond?: number, secondsLeft?: number): string {
  if (bytesPerSecond === undefined || secondsLeft === undefined) return "";
  const seconds = Math.ceil(secondsLeft);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `, ${formatBytes(Math.round(bytesPerSecond))}/s, ${clock} left`;
}
