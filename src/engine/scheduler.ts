/**
 * Who takes part in the next forward pass. Every sequence that waits for one row takes part; the
 * others share a number of rows that takes a set time, so that a long prompt does not stop the
 * rest. The oldest come first: with too few pages for all, the youngest are put back and wait. A
 * pure rule: time is an argument, and pages are behind an interface.
 */

/** Rows of one sequence that wait to be evaluated. */
export interface Job {
  /** Its sequence's place in the order of arrival: the smaller, the older. */
  readonly age: number;
  /** Whether its sequence has pages. */
  readonly isAdmitted: boolean;
  /** Whether its pages may be taken: its rows can be computed again. */
  readonly canBePutBack: boolean;
  /** Rows that it waits for, and the most that can be evaluated next. */
  readonly left: number;
  readonly next: number;
}

/** The pages, as the scheduler sees them. */
export interface Room<J extends Job> {
  /** Whether the job should wait for rows that one of the others computes, to reuse them. */
  awaits(job: J, others: readonly J[]): boolean;
  /**
   * Gives a job that has no pages those for all its rows, if they are there; it may then have fewer
   * rows left, since some were reused.
   */
  admit(job: J): boolean;
  /** Gives a job that was admitted pages for its next n rows, if they are there. */
  reserve(job: J, n: number): boolean;
  /** Takes a job's pages away; its rows are evaluated again later. */
  putBack(job: J): void;
}

/** The limits of a forward pass. */
export interface SchedulerLimits {
  /** Most sequences. */
  readonly maxSequences: number;
  /** Most rows of jobs that wait for more than one. */
  readonly batchSize: number;
}

/** A job's part of a turn: its next n rows. */
export interface Part<J extends Job> {
  readonly job: J;
  readonly n: number;
}

/** How long a turn may take while others wait. */
const TURN_MS = 500;

/** The least rows that share a turn: fewer would cost nearly as much. */
const LEAST_ROWS = 16;

/** The weight of the last turn in the rate of rows. */
const NEWS = 0.3;

export class Scheduler<J extends Job> {
  readonly #limits: SchedulerLimits;
  /** By age. */
  readonly #jobs: J[] = [];
  /** The turn in which a long job last took part, or after which it came or was given pages. */
  readonly #served = new Map<J, number>();
  #turn = 0;
  /** Rows a millisecond of turns with many; undefined before the first. */
  #rate: number | undefined;

  constructor(limits: SchedulerLimits) {
    this.#limits = limits;
  }

  /** The jobs, the oldest first. */
  get jobs(): readonly J[] {
    return this.#jobs;
  }

  add(job: J): void {
    let i = this.#jobs.length;
    while (i > 0 && this.#jobs[i - 1].age > job.age) i--;
    this.#jobs.splice(i, 0, job);
    this.#served.set(job, this.#turn);
  }

  remove(job: J): void {
    const i = this.#jobs.indexOf(job);
    if (i >= 0) this.#jobs.splice(i, 1);
    this.#served.delete(job);
  }

  /**
   * The parts of the next turn, for which pages are reserved; none if no job can get pages. Jobs
   * without rows left, all of which were reused, have no part.
   */
  plan(room: Room<J>): Part<J>[] {
    this.#turn++;
    const { maxSequences } = this.#limits;
    const parts: Part<J>[] = [];
    const long: J[] = [];
    let isFull = false;
    for (const job of this.#jobs.slice()) {
      // One place is for the long jobs, which take turns.
      if (parts.length + Math.min(long.length, 1) === maxSequences) break;
      if (!job.isAdmitted) {
        // None overtakes an older one that waits for pages.
        if (isFull || parts.length + long.length >= maxSequences) continue;
        if (room.awaits(job, long)) continue;
        isFull = !room.admit(job);
        if (isFull) continue;
        this.#served.set(job, this.#turn - 1);
      }
      if (job.left > 1) long.push(job);
      else if (job.left === 1) this.#take(job, 1, parts, room);
    }
    let rows = this.#jobs.length === 1 ? this.#limits.batchSize : this.#rowsOfTurn();
    const servedAt = (job: J): number => this.#served.get(job)!;
    long.sort((a, b) => servedAt(a) - servedAt(b));
    for (const job of long) {
      if (rows === 0 || parts.length === maxSequences) break;
      // It may have been put back for an older one.
      if (!job.isAdmitted) continue;
      const n = Math.min(job.next, rows);
      if (!this.#take(job, n, parts, room)) continue;
      this.#served.set(job, this.#turn);
      rows -= n;
    }
    return parts;
  }

  /** Records how long a turn took. */
  done(parts: readonly Part<J>[], ms: number): void {
    const rows = parts.reduce((sum, { n }) => sum + (n > 1 ? n : 0), 0);
    if (rows < LEAST_ROWS || !(ms > 0)) return;
    const rate = rows / ms;
    this.#rate = this.#rate === undefined ? rate : this.#rate + NEWS * (rate - this.#rate);
  }

  /** About how long it takes to evaluate rows; 0 before that is known. */
  msOf(rows: number): number {
    return this.#rate === undefined ? 0 : rows / this.#rate;
  }

  /** Rows of long jobs in a turn that others wait for. */
  #rowsOfTurn(): number {
    if (this.#rate === undefined) return Math.min(LEAST_ROWS, this.#limits.batchSize);
    const rows = Math.floor((this.#rate * TURN_MS) / LEAST_ROWS) * LEAST_ROWS;
    return Math.min(Math.max(rows, LEAST_ROWS), this.#limits.batchSize);
  }

  /** Adds a part if there are pages for it, or if younger jobs give theirs up. */
  #take(job: J, n: number, parts: Part<J>[], room: Room<J>): boolean {
    while (!room.reserve(job, n)) {
      const victim = this.#jobs.findLast(
        (other) => other.canBePutBack && !parts.some((part) => part.job === other),
      );
      if (victim === undefined || victim.age <= job.age) return false;
      room.putBack(victim);
    }
    parts.push({ job, n });
    return true;
  }
}
