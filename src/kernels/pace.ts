/**
 * How many threads take part in the next piece of work: the number follows the machine. Where
 * threads are late at barriers because other programs run on their cores, fewer are tried, and
 * kept if they are faster; later more are tried again. A pure rule: time is an argument.
 */

/** A finished piece of work. */
export interface Piece {
  /** How long it took. */
  readonly ms: number;
  /** Its amount, such as tokens: units of one pace cost about the same for a while. */
  readonly units: number;
  /** How long an average thread slept at barriers. */
  readonly lateMs: number;
}

/** The weight of past pieces falls by e in this time. */
const MEMORY_MS = 100;

/** From this share of time asleep at barriers on, other programs are assumed to be the cause. */
export const LATE_SHARE = 0.15;

/**
 * A trial lasts at least several slices of the system's scheduler. Its first piece, if it is
 * shorter, does not count: a thread that wakes finds nothing in its core's caches.
 */
const TRIAL_MS = 20;

/** How long a number runs before it is compared with another: the first pieces are slow. */
const SEEN_MS = 50;

/** A trial ends early once it is slower by this factor and by this many milliseconds. */
const CLEARLY_WORSE = 1.4;
const CLEARLY_MS = 2;

/** How long a piece may take in a trial of fewer threads. */
const LONG_PIECE_MS = 1_000;

/** The gain that a trial must show. */
const GAIN = 0.95;

/** Failed trials cost at most one part in this many of the time. */
const COST_PARTS = 50;

/** The least and the most time between trials of more threads; it doubles while they fail. */
const LEAST_REST_MS = 100;
const MOST_REST_MS = 3_000;

/** A number of threads that held this long was no accident. */
const SETTLED_MS = 1_000;

interface Trial {
  readonly count: number;
  ms: number;
  units: number;
  /** The excess time of the first piece. */
  warmUpMs?: number;
}

export class Pace {
  readonly most: number;
  #count: number;
  /** Time of pieces with #count threads; the latest weigh most. */
  #ms = 0;
  #units = 0;
  #lateMs = 0;
  /** Time of the last piece. */
  #pieceMs = 0;
  #trial: Trial | undefined;
  /** How long the present number has held, and how long until another may be tried. */
  #heldMs = 0;
  #restMs = 0;
  /** Whether the present number is a larger one that has not settled. */
  #grew = false;
  #growRestMs = LEAST_REST_MS;
  /** How many threads the next larger number adds. */
  #step = 1;
  /** Trials of fewer threads since the number changed. */
  #shrinks = 0;

  /** Begins with `count` threads and never takes more than `most`. */
  constructor(most: number, count: number = most) {
    this.most = most;
    this.#count = count;
  }

  /** Threads for the next piece of work. */
  get count(): number {
    return this.#trial?.count ?? this.#count;
  }

  /** Records a piece of work done with `count` threads. */
  done({ ms, units, lateMs }: Piece): void {
    if (this.#trial !== undefined) {
      this.#judge(this.#trial, ms, units);
      return;
    }
    this.#pieceMs = ms;
    const weight = Math.exp(-ms / MEMORY_MS);
    this.#ms = this.#ms * weight + ms;
    this.#units = this.#units * weight + units;
    this.#lateMs = this.#lateMs * weight + lateMs;
    this.#heldMs += ms;
    this.#restMs -= ms;
    if (this.#grew && this.#heldMs > SETTLED_MS) {
      this.#grew = false;
      this.#growRestMs = LEAST_REST_MS;
    }
    if (this.#restMs > 0 || this.#heldMs < SEEN_MS) return;
    const isLate = this.#count > 1 && this.#lateMs > LATE_SHARE * this.#ms;
    if (isLate) this.#try(this.#fewer());
    else if (this.#count < this.most && this.#heldMs > this.#growRestMs) {
      this.#try(Math.min(this.#count + this.#step, this.most));
    }
  }

  /** Half as many, one alone or one less, in turn; never so few that a piece takes very long. */
  #fewer(): number {
    const fits = (count: number): boolean => this.#pieceMs * (this.#count / count) <= LONG_PIECE_MS;
    const candidates = [this.#count >> 1, 1].filter(fits).concat(this.#count - 1);
    return candidates[this.#shrinks++ % candidates.length];
  }

  #try(count: number): void {
    this.#trial = { count, ms: 0, units: 0 };
  }

  #judge(trial: Trial, ms: number, units: number): void {
    const unitMs = this.#ms / this.#units;
    if (trial.warmUpMs === undefined) {
      trial.warmUpMs = ms < TRIAL_MS ? Math.max(0, ms - unitMs * units) : 0;
      if (ms < TRIAL_MS) return;
    }
    trial.ms += ms;
    trial.units += units;
    const expectedMs = unitMs * trial.units;
    const isWorse = trial.ms > expectedMs * CLEARLY_WORSE && trial.ms > expectedMs + CLEARLY_MS;
    if (!isWorse && trial.ms < TRIAL_MS) return;
    this.#trial = undefined;
    if (trial.ms < expectedMs * GAIN) this.#adopt(trial);
    else this.#reject(trial, trial.warmUpMs + Math.max(0, trial.ms - expectedMs));
  }

  #adopt({ count, ms, units }: Trial): void {
    const grows = count > this.#count;
    // A number that is left again at once was an accident.
    if (!grows && this.#grew) this.#doubleRest();
    this.#grew = grows;
    this.#step = grows ? this.#step * 2 : 1;
    this.#shrinks = 0;
    this.#count = count;
    [this.#ms, this.#units, this.#lateMs] = [ms, units, 0];
    this.#heldMs = 0;
    this.#restMs = 0;
  }

  #reject({ count }: Trial, lostMs: number): void {
    if (count > this.#count) {
      this.#doubleRest();
      this.#step = 1;
      this.#heldMs = 0;
    }
    this.#restMs = lostMs * COST_PARTS;
  }

  #doubleRest(): void {
    this.#growRestMs = Math.min(this.#growRestMs * 2, MOST_REST_MS);
  }
}
