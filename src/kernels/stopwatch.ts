/** Compares how long candidates take, with clocks of any step. */

/**
 * The least time that candidates run in turn: engines recompile code that runs often, and that code
 * is to be timed. The best time of each candidate counts.
 */
const RACE_MS = 12;

/** The least number of runs: a busy machine interrupts a race for long. */
const LEAST_RUNS = 150;
const LEAST_ROUNDS = 5;

/** More runs than any race needs, in case the clock has stopped since its step was measured. */
const MOST_RUNS = 1 << 14;

/** Steps of the clock that one measurement takes: in browsers a step is 0.1 ms. */
const CLOCK_STEPS = 8;

/** How many of a clock's steps are measured. */
const MEASURED_STEPS = 5;

/** Readings of a clock after which it counts as standing still, as in some Workers. */
const CLOCK_LOOKS = 100_000;

/** Times candidates with a clock, whose steps it measures first. */
export class Stopwatch {
  readonly #now: () => number;
  /** Milliseconds between two steps of the clock; undefined where it stands still. */
  readonly #stepMs: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
    this.#stepMs = this.#measureStep();
  }

  /** The shortest of a few steps: on a busy machine some are noticed late. */
  #measureStep(): number | undefined {
    let shortestMs = Infinity;
    let lastMs = this.#nextStepAfter(this.#now());
    for (let step = 0; step < MEASURED_STEPS; step++) {
      if (lastMs === undefined) return undefined;
      const nextMs = this.#nextStepAfter(lastMs);
      if (nextMs === undefined) return undefined;
      shortestMs = Math.min(shortestMs, nextMs - lastMs);
      lastMs = nextMs;
    }
    return shortestMs;
  }

  /** The first reading of the clock after a time. */
  #nextStepAfter(ms: number): number | undefined {
    for (let look = 0; look < CLOCK_LOOKS; look++) {
      const nowMs = this.#now();
      if (nowMs > ms) return nowMs;
    }
    return undefined;
  }

  /** Milliseconds of `runs` runs. */
  #timed(run: () => void, runs: number): number {
    const startMs = this.#now();
    for (let i = 0; i < runs; i++) run();
    return this.#now() - startMs;
  }

  /**
   * Milliseconds of each candidate's best run; they run in turn. Undefined if the clock stands
   * still or stops.
   */
  race(candidates: readonly (() => void)[]): number[] | undefined {
    if (this.#stepMs === undefined) return undefined;
    const leastMs = CLOCK_STEPS * this.#stepMs;
    let runs = 1;
    while (candidates.some((run) => this.#timed(run, runs) < leastMs)) {
      runs *= 2;
      if (runs > MOST_RUNS) return undefined;
    }
    const best = candidates.map(() => Infinity);
    const endMs = this.#now() + RACE_MS;
    const leastRounds = Math.max(LEAST_ROUNDS, LEAST_RUNS / runs);
    const mostRounds = Math.max(leastRounds, MOST_RUNS / runs);
    for (let i = 0; i < leastRounds || (i < mostRounds && this.#now() < endMs); i++) {
      candidates.forEach((run, candidate) => {
        best[candidate] = Math.min(best[candidate], this.#timed(run, runs) / runs);
      });
    }
    return best.every((ms) => ms > 0) ? best : undefined;
  }
}
