/** Ctrl-C: the first ends the work in an orderly way, the second at once. */
import { INTERRUPTED_EXIT_CODE, Interrupted } from "./output.js";

/** Runs `work` with a signal that the first Ctrl-C aborts, with an `Interrupted` as its reason. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT_CODE);
    controller.abort(new Interrupted("interrupted"));
  };
  process.on("SIGINT", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
  }
}
