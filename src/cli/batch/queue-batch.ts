/**
 * A batch that the workers of a BullMQ queue answer. Redis holds a window of the lines, so that a
 * batch of any size fits; a result is removed from it only when it is on the disk.
 */
import type { Job, JobType, Queue, QueueEvents } from "bullmq";
import { PlmError } from "../../errors.js";
import {
  isFull,
  JOB_NAME,
  JOB_OPTIONS,
  jobIdOf,
  type LineJobData,
  type LineJobResult,
} from "./line-jobs.js";
import type { BatchLine, BatchRequest } from "./lines.js";
import type { OutcomeSink } from "./one-process.js";
import type { Outcome } from "./outcome.js";
import type { RedisLink, RedisPackages } from "./redis-link.js";

/** The most lines, and characters of them, that are in Redis at a time. */
const MOST_JOBS = 1_000;
const MOST_CHARACTERS = 16 << 20;

/** The most events that Redis keeps: those of results have them. Those that are lost do no harm. */
const MOST_EVENTS = 100;

/** How often all jobs are looked at: events may be missed, and Redis may forget. */
const REVIEW_MS = 2_000;

/** How long it waits when Redis is full. */
const FULL_MS = 1_000;

/** How long nothing may happen before it looks for the reason. */
const IDLE_MS = 5_000;

/** How long the same trouble is said once. */
const REPEAT_MS = 60_000;

/** The states of jobs that ended, and of all others. */
const ENDED: JobType[] = ["completed", "failed"];
const OPEN: JobType[] = ["active", "waiting", "prioritized", "delayed"];

/** A line in the queue. */
interface Asked {
  readonly line: BatchLine;
  readonly request: BatchRequest;
}

/** What a batch in a queue needs. */
export interface QueueParts {
  readonly packages: RedisPackages;
  readonly link: RedisLink;
  /** The queue's name. */
  readonly name: string;
  /** Takes what became of a line; resolves when it is on the disk. */
  readonly sink: OutcomeSink;
  /** Shows a line. */
  readonly tell: (line: string) => void;
  /** How long Redis may be full. */
  readonly timeoutMs: number;
}

export class QueueBatch {
  readonly #parts: QueueParts;
  readonly #lines: AsyncGenerator<BatchLine, void>;
  readonly #queue: Queue<LineJobData, LineJobResult>;
  readonly #events: QueueEvents;
  readonly #eventClient: RedisLink["client"];
  /** Lines in the queue by their jobs' ids, the oldest first. */
  readonly #asked = new Map<string, Asked>();
  /** Lines that are to be added, before others. */
  readonly #backlog: Asked[] = [];
  #characters = 0;
  /** The most lines in Redis: it halves when Redis is full, and grows with each answer. */
  #most = MOST_JOBS;
  #isRead = false;
  /** Jobs that ended, as events say. */
  readonly #news = new Set<string>();
  #wake = (): void => {};
  #reviewedMs = -Infinity;
  #progressMs = performance.now();
  /** Since when Redis is full and nothing was answered. */
  #fullSinceMs: number | undefined;
  /** When lines may be added again. */
  #fillMs = 0;
  #saidFullMs = -Infinity;
  #isLonely = false;

  constructor(parts: QueueParts, lines: AsyncGenerator<BatchLine, void>) {
    this.#parts = parts;
    this.#lines = lines;
    const { packages, link, name } = parts;
    this.#queue = new packages.Queue(name, {
      connection: link.client,
      streams: { events: { maxLen: MOST_EVENTS } },
    });
    this.#eventClient = link.client.duplicate();
    this.#events = new packages.QueueEvents(name, { connection: this.#eventClient });
    // The link has heard of them, too.
    for (const each of [this.#eventClient, this.#queue]) each.on("error", () => {});
    this.#events.on("error", () => {});
    const take = ({ jobId }: { readonly jobId: string }): void => {
      this.#news.add(jobId);
      this.#wake();
    };
    this.#events.on("completed", take).on("failed", take);
  }

  /** Ends the connection for events; the link is the caller's to close. */
  close(): void {
    void this.#events.close().catch(() => {});
    this.#eventClient.disconnect();
  }

  /** Answers all lines. Rejects with the link's reason, REDIS_LOST, or that of the sink. */
  async run(): Promise<void> {
    for (;;) {
      if (performance.now() >= this.#fillMs) await this.#fill();
      if (this.#asked.size + this.#backlog.length === 0 && this.#isRead) break;
      await this.#waitForNews();
      const isDue = performance.now() >= this.#reviewedMs + REVIEW_MS;
      const ended = isDue ? await this.#review() : [...this.#news];
      this.#news.clear();
      await this.#harvest(ended.filter((id) => this.#asked.has(id)));
    }
    // Events hold results, and nobody needs them any more.
    await this.#parts.link.wait(this.#queue.trimEvents(0));
  }

  /** Adds lines until the window is full. */
  async #fill(): Promise<void> {
    const adding: Asked[] = [];
    while (this.#asked.size + adding.length < this.#most && this.#characters < MOST_CHARACTERS) {
      const asked = this.#backlog.shift() ?? (await this.#next());
      if (asked === undefined) break;
      adding.push(asked);
      this.#characters += asked.request.body.length;
    }
    const added = await Promise.all(adding.map((asked) => this.#add(asked)));
    if (added.includes(false)) await this.#makeRoom();
  }

  /** The next line with a request; those without one are answered by the way. */
  async #next(): Promise<Asked | undefined> {
    while (!this.#isRead) {
      const { done, value: line } = await this.#lines.next();
      if (done) this.#isRead = true;
      else if ("request" in line) return { line, request: line.request };
      else await this.#parts.sink(line, { code: "invalid_line", message: line.problem });
    }
    return undefined;
  }

  /** Adds a job, unless it is there already; false if there is no room for it. */
  async #add(asked: Asked): Promise<boolean> {
    const { link } = this.#parts;
    const { line, request } = asked;
    const jobId = jobIdOf(line, request);
    this.#asked.set(jobId, asked);
    try {
      await link.wait(this.#queue.add(JOB_NAME, request, { ...JOB_OPTIONS, jobId }));
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#putBack(jobId);
      return false;
    }
  }

  /** A line whose job is not there is added again. */
  #putBack(jobId: string): void {
    this.#backlog.push(this.#forget(jobId));
  }

  #forget(jobId: string): Asked {
    const asked = this.#asked.get(jobId)!;
    this.#asked.delete(jobId);
    this.#characters -= asked.request.body.length;
    return asked;
  }

  /**
   * Takes half of the jobs back, the youngest: Redis may be full of them, and then no worker can
   * take one. Throws REDIS_LOST if nothing was answered for too long.
   */
  async #makeRoom(): Promise<void> {
    const { link, tell, timeoutMs } = this.#parts;
    const now = performance.now();
    this.#fullSinceMs ??= now;
    if (now > this.#saidFullMs + REPEAT_MS) {
      this.#saidFullMs = now;
      tell(`${link.name} is full: waiting for room`);
    }
    if (now - this.#fullSinceMs > timeoutMs) {
      const message = `--redis: expected room in ${link.name}, got none in ${timeoutMs / 1000} s`;
      throw new PlmError("REDIS_LOST", message);
    }
    const ended = new Set(await link.wait(this.#queue.getRanges(ENDED, 0, -1)));
    const most = Math.floor(this.#asked.size / 2);
    const youngest = [...this.#asked.keys()].slice(most).filter((id) => !ended.has(id));
    for (const jobId of youngest) {
      // A worker has those that cannot be removed.
      const removed = await link.wait(this.#queue.remove(jobId));
      if (removed === 1) this.#putBack(jobId);
    }
    this.#most = Math.max(1, most);
    this.#fillMs = performance.now() + FULL_MS;
  }

  /** Resolves when a job has ended, or when it is time to look. */
  async #waitForNews(): Promise<void> {
    if (this.#news.size > 0) return;
    const isResting = this.#fillMs > performance.now();
    const untilMs = Math.min(this.#reviewedMs + REVIEW_MS, isResting ? this.#fillMs : Infinity);
    let timer: NodeJS.Timeout | undefined;
    const news = new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(0, untilMs - performance.now()));
    });
    try {
      await this.#parts.link.wait(news);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The jobs that ended; those that are gone, whatever took them, are added again. */
  async #review(): Promise<string[]> {
    const { link } = this.#parts;
    const ended = await link.wait(this.#queue.getRanges(ENDED, 0, -1));
    const known = new Set(await link.wait(this.#queue.getRanges([...OPEN, ...ENDED], 0, -1)));
    for (const jobId of this.#asked.keys()) if (!known.has(jobId)) this.#putBack(jobId);
    this.#reviewedMs = performance.now();
    if (this.#reviewedMs > this.#progressMs + IDLE_MS) await this.#findObstacle();
    return ended;
  }

  /** Why nothing happens, if there is a reason. */
  async #findObstacle(): Promise<void> {
    const { link, tell } = this.#parts;
    if (isOver(await link.wait(link.client.info("memory")))) return this.#makeRoom();
    if (this.#isLonely || (await link.wait(this.#queue.getWorkersCount())) > 0) return;
    this.#isLonely = true;
    tell(`no worker is there: plm worker --redis ${link.name} starts one`);
  }

  /** Keeps the results of jobs that ended, and then removes the jobs. */
  async #harvest(jobIds: readonly string[]): Promise<void> {
    const { link, sink } = this.#parts;
    const keep = async (jobId: string): Promise<void> => {
      const job = await link.wait(this.#queue.getJob(jobId));
      // Another batch with this line may have removed it.
      if (job?.finishedOn === undefined) return;
      const { line } = this.#forget(jobId);
      await sink(line, outcomeOf(job));
      await link.wait(this.#queue.remove(jobId));
    };
    await Promise.all(jobIds.map(keep));
    if (jobIds.length === 0) return;
    this.#progressMs = performance.now();
    this.#isLonely = false;
    this.#fullSinceMs = undefined;
    this.#most = Math.min(MOST_JOBS, this.#most + jobIds.length);
  }
}

/** Whether Redis has as much as it may, so that it takes nothing; from its INFO. */
function isOver(info: string): boolean {
  const numberOf = (name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const most = numberOf("maxmemory");
  return most > 0 && numberOf("used_memory") >= most;
}

function outcomeOf({ returnvalue, failedReason }: Job<LineJobData, LineJobResult>): Outcome {
  // A result that came at last leaves the reason of an earlier attempt.
  if (returnvalue) return returnvalue;
  return { code: "worker_failed", message: `no worker could answer: ${failedReason}` };
}
