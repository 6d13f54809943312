/** A batch's lines as jobs of a BullMQ queue, which producers and workers share. */
import { createHash } from "node:crypto";
import type { JobsOptions, WorkerOptions } from "bullmq";
import { reasonOf } from "../../errors.js";
import { FIRST_DELAY_MS, MOST_ATTEMPTS } from "./answer-line.js";
import type { BatchLine, BatchRequest } from "./lines.js";
import type { LineAnswer } from "./outcome.js";

/** What a job carries, and what it returns. */
export type LineJobData = BatchRequest;
export type LineJobResult = LineAnswer;

/** The queue, unless --queue names another. */
export const DEFAULT_QUEUE = "plm-batch";

/** Every job's name. */
export const JOB_NAME = "line";

/** How long results are kept that nobody fetches, in seconds. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** Of a job: a worker that fails to answer is followed by another, later. */
export const JOB_OPTIONS: JobsOptions = {
  attempts: MOST_ATTEMPTS,
  backoff: { type: "exponential", delay: FIRST_DELAY_MS },
  removeOnComplete: { age: KEPT_SECONDS },
  removeOnFail: { age: KEPT_SECONDS },
};

/**
 * Of a worker: a job whose worker is silent for 10 seconds goes to another, up to 10 times, since
 * a line may be what ends the workers.
 */
export const WORKER_OPTIONS: Omit<WorkerOptions, "connection"> = {
  autorun: false,
  lockDuration: 10_000,
  stalledInterval: 3_000,
  maxStalledCount: 10,
  runRetryDelay: 1_000,
};

/** The same for the same line of whatever file: a batch that starts again finds its jobs. */
export function jobIdOf({ customId }: BatchLine, { url, body }: BatchRequest): string {
  const hash = createHash("sha256").update(JSON.stringify([customId, url, body]));
  return `line-${hash.digest("hex").slice(0, 40)}`;
}

/** Whether Redis refused a command since it has no memory left. */
export function isFull(error: unknown): boolean {
  return /^(?:.*: )?OOM command not allowed/.test(reasonOf(error));
}
