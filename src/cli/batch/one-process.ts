/** A batch that is answered in this process, as many lines at a time as the model takes. */
import { setMaxListeners } from "node:events";
import type { Model } from "../../generation/model.js";
import type { Handler } from "../../server/index.js";
import { answerLine } from "./answer-line.js";
import type { BatchLine } from "./lines.js";
import type { Outcome } from "./outcome.js";

/** Takes what became of a line; resolves when it is kept. */
export type OutcomeSink = (line: BatchLine, outcome: Outcome) => Promise<void>;

/**
 * Answers the lines. Rejects with the first failure: the signal's reason, WORKER_LOST, or that of
 * the sink; what was under way is given up then.
 */
export async function answerHere(
  lines: AsyncGenerator<BatchLine, void>,
  { handler, model }: { readonly handler: Handler; readonly model: Model },
  sink: OutcomeSink,
  signal: AbortSignal,
): Promise<void> {
  const controller = new AbortController();
  // Each line that is under way listens.
  setMaxListeners(0, controller.signal);
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const work = async (): Promise<void> => {
    try {
      for await (const line of lines) {
        controller.signal.throwIfAborted();
        await sink(line, await outcomeOf(line, handler, controller.signal));
      }
    } catch (error) {
      controller.abort(error);
    }
  };
  await Promise.all(Array.from({ length: model.plan.options.maxSequences }, work));
  signal.removeEventListener("abort", abort);
  controller.signal.throwIfAborted();
}

async function outcomeOf(line: BatchLine, handler: Handler, signal: AbortSignal): Promise<Outcome> {
  if ("request" in line) return answerLine(handler, line.request, signal);
  return { code: "invalid_line", message: line.problem };
}
