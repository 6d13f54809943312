/** A worker of a BullMQ queue: it answers the lines of batches with its model. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Job, Worker } from "bullmq";
import { PlmError } from "../../errors.js";
import type { Handler } from "../../server/index.js";
import { answerOnce, isTemporary } from "./answer-line.js";
import { isFull, type LineJobData, type LineJobResult, WORKER_OPTIONS } from "./line-jobs.js";
import type { RedisLink, RedisPackages } from "./redis-link.js";

/** How often it is asked whether it is done. */
const POLL_MS = 50;

/** How long a worker takes no jobs when Redis is full. */
const FULL_MS = 1_000;

/** How long the same trouble is said once. */
const REPEAT_MS = 60_000;

/** What a worker needs. */
export interface WorkerParts {
  readonly packages: RedisPackages;
  readonly link: RedisLink;
  readonly queue: string;
  readonly handler: Handler;
  /** Jobs at a time. */
  readonly concurrency: number;
  /** Shows a line. */
  readonly tell: (line: string) => void;
}

/**
 * Answers jobs until the signal aborts, and then finishes what it has begun. Rejects with the
 * signal's reason, with REDIS_LOST, or with WORKER_LOST if the model is over.
 */
export async function workOnQueue(parts: WorkerParts, signal: AbortSignal): Promise<void> {
  const { packages, link, queue, concurrency } = parts;
  const ending = new AbortController();
  const end = (reason: unknown): void => ending.abort(reason);
  const stop = (): void => end(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  link.signal.addEventListener("abort", () => end(link.signal.reason), { once: true });
  const worker = new packages.Worker<LineJobData, LineJobResult>(
    queue,
    (job) => answerJob(job, parts, end),
    { ...WORKER_OPTIONS, connection: link.client, concurrency },
  );
  worker.on("error", createTroubleListener(worker, parts, ending.signal));
  worker.run().catch(end);
  await new Promise<void>((resolve) => {
    ending.signal.addEventListener("abort", () => resolve(), { once: true });
    if (ending.signal.aborted) resolve();
  });
  try {
    await finish(worker, link);
  } finally {
    // By force, since BullMQ would wait for a connection that may be lost.
    await worker.close(true);
  }
  ending.signal.throwIfAborted();
}

/** Lets a worker finish what it has begun. Rejects with the link's reason. */
async function finish(worker: Worker, link: RedisLink): Promise<void> {
  await link.wait(worker.pause(true));
  // It waits for a job there.
  await link.wait(worker.getBackend().disconnectBlocking(false));
  while (worker.isRunning()) await link.wait(sleep(POLL_MS));
}

/** A listener that says each trouble now and then, and lets a full Redis alone for a while. */
function createTroubleListener(
  worker: Worker,
  { link, tell }: WorkerParts,
  ending: AbortSignal,
): (error: Error) => void {
  const saidMs = new Map<string, number>();
  const resume = (): void => {
    if (!ending.aborted) void worker.resume();
  };
  return (error) => {
    // It would ask again and again at once.
    if (isFull(error) && !worker.isPaused()) {
      void worker.pause(true);
      setTimeout(resume, FULL_MS);
    }
    const trouble = troubleOf(error);
    const now = performance.now();
    if (trouble === undefined || now < (saidMs.get(trouble) ?? -Infinity) + REPEAT_MS) return;
    saidMs.set(trouble, now);
    tell(`${link.name}: ${trouble}`);
  };
}

/** What an error of BullMQ's means here; undefined for a lost connection, which the link says. */
function troubleOf(error: Error): string | undefined {
  if (isFull(error)) return "it is full: waiting for room";
  if (/^Missing (key|lock)|^Lock mismatch|renew lock/.test(error.message)) {
    return "it took a line for given up, and another attempt answers it";
  }
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined || /Connection is closed/.test(error.message)
    ? undefined
    : error.message;
}

/** The answer to a job's line. Throws where another attempt, or another worker, may do better. */
async function answerJob(
  { data, attemptsMade, opts }: Job<LineJobData, LineJobResult>,
  { handler, link }: WorkerParts,
  end: (reason: unknown) => void,
): Promise<LineJobResult> {
  try {
    const answer = await answerOnce(handler, data, link.signal);
    const isLast = attemptsMade + 1 >= (opts.attempts ?? 1);
    if (!isTemporary(answer) || isLast) return answer;
    throw new Error(`the server answered ${answer.status}`);
  } catch (error) {
    if (PlmError.from(error)?.code === "WORKER_LOST") end(error);
    throw error;
  }
}
