/** The answer of a server in this process to a line: that of `plm serve` to the same request. */
import { setTimeout as sleep } from "node:timers/promises";
import { abortable } from "../../abortable.js";
import { PlmError } from "../../errors.js";
import type { Model } from "../../generation/model.js";
import type { Handler } from "../../server/index.js";
import { type BatchRequest, MOST_LINE_BYTES } from "./lines.js";
import type { LineAnswer } from "./outcome.js";

/** How often a line is tried, and how long it waits before the second time; then twice as long. */
export const MOST_ATTEMPTS = 5;
export const FIRST_DELAY_MS = 1_000;

/** The most answers (`n`) to one request and at a time, whatever `maxSequences` is. */
const MOST_ANSWERS = 1_024;

/** A server for the lines of batches. */
export async function createLineServer(model: Model, modelName: string): Promise<Handler> {
  const { createHandler } = await import("../../server/index.js");
  const maxWaiting = Math.max(0, MOST_ANSWERS - model.plan.options.maxSequences);
  return createHandler({ model, modelName, maxWaiting, maxBodyBytes: MOST_LINE_BYTES });
}

/**
 * The answer to a request, whatever its status. Rejects with the signal's reason, and with
 * WORKER_LOST if the model is over, so that the request was not at fault.
 */
export async function answerOnce(
  handler: Handler,
  { url, body }: BatchRequest,
  signal: AbortSignal,
): Promise<LineAnswer> {
  const request = new Request(`http://localhost${url}`, { method: "POST", body, signal });
  const response = await handler(request);
  const answer = { status: response.status, body: (await response.json()) as object };
  signal.throwIfAborted();
  if (answer.status === 500) await checkHealth(handler);
  return answer;
}

async function checkHealth(handler: Handler): Promise<void> {
  const { ok } = await handler(new Request("http://localhost/health"));
  if (!ok) throw new PlmError("WORKER_LOST", "the engine ended: the model must be loaded again");
}

/** Whether the same request may get another answer later. */
export function isTemporary({ status }: LineAnswer): boolean {
  return status === 429 || status === 503;
}

/** The answer to a request; as `answerOnce`, with further attempts where they may help. */
export async function answerLine(
  handler: Handler,
  request: BatchRequest,
  signal: AbortSignal,
): Promise<LineAnswer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await answerOnce(handler, request, signal);
    if (!isTemporary(answer) || attempt === MOST_ATTEMPTS) return answer;
    await abortable(sleep(FIRST_DELAY_MS * 2 ** (attempt - 1), undefined, { signal }), signal);
  }
}
