/** Signals that ask the process to end: the first ends the work cleanly, the second at once. */
import { constants } from "node:os";

/** Ctrl-C; `kill`, `docker stop`, a service manager; a terminal that was closed. */
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A signal that ends the process. */
export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** The exit code of a process that a signal ended: 128 + its number. */
export function exitCodeOfSignal(signal: EndingSignal): number {
  return 128 + constants.signals[signal];
}

/** The reason of an abort by a signal, which a command throws on. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: EndingSignal) {
    super(`ended by ${signal}`);
    this.exitCode = exitCodeOfSignal(signal);
  }
}

/** Runs `work` with an AbortSignal that the first signal aborts, its reason an `Interrupted`. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    const signal = name as EndingSignal;
    if (controller.signal.aborted) process.exit(exitCodeOfSignal(signal));
    controller.abort(new Interrupted(signal));
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of ENDING_SIGNALS) process.off(signal, interrupt);
  }
}
