/** A worker of a BullMQ queue: it answers the lines of batches with its model. */
import type { Job, Worker } from "bullmq";
import { PlmError } from "../../errors.js";
import type { Handler } from "../../server/index.js";
import { answerOnce, isTemporary } from "./answer-line.js";
import { isFull, type LineJobData, type LineJobResult, WORKER_OPTIONS } from "./line-jobs.js";
import type { RedisLink, RedisPackages } from "./redis-link.js";

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
 * Answers jobs until the signal aborts, and then what it has begun. Rejects with REDIS_LOST, and
 * with WORKER_LOST if the model is over.
 */
export async function workOnQueue(parts: WorkerParts, signal: AbortSignal): Promise<void> {
  const { packages, link, queue, concurrency, tell } = parts;
  const ended = new AbortController();
  const end = (reason: unknown): void => ended.abort(reason);
  const worker = new packages.Worker<LineJobData, LineJobResult>(
    queue,
    (job) => answerJob(job, parts, end),
    { ...WORKER_OPTIONS, connection: link.client, concurrency },
  );
  const saidMs = new Map<string, number>();
  worker.on("error", (error) => {
    if (isFull(error)) rest(worker);
    const trouble = troubleOf(error);
    const now = performance.now();
    if (trouble === undefined || now < (saidMs.get(trouble) ?? -Infinity) + REPEAT_MS) return;
    saidMs.set(trouble, now);
    tell(`${link.name}: ${trouble}`);
  });
  const stop = (): void => end(undefined);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  link.signal.addEventListener("abort", () => end(link.signal.reason), { once: true });
  worker.run().catch(end);
  await new Promise<void>((resolve) => {
    ended.signal.addEventListener("abort", () => resolve(), { once: true });
    if (ended.signal.aborted) resolve();
  });
  // What cannot reach Redis any more is not waited for: others get those jobs.
  await link.wait(worker.close()).catch(() => worker.close(true));
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

/** Lets a full Redis alone for a while: the worker would ask again and again at once. */
function rest(worker: Worker): void {
  if (worker.isPaused()) return;
  void worker.pause(true);
  setTimeout(() => void worker.resume(), FULL_MS).unref();
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
