import { test } from "uvu";
import * as assert from "uvu/assert";
import { Pace } from "../../src/kernels/pace.js";
import { seededRandom } from "../support/random.js";

/** Milliseconds of a token on one thread with its own processor. */
const TOKEN_MS = 10;

/** A machine with a scheduler, as threads at barriers see it. */
interface Simulation {
  readonly processors: number;
  /** Busy programs beside this one. */
  neighbours: number;
  readonly random: () => number;
}

/**
 * A token on `count` threads. While every thread has a processor, work is divided evenly; with more
 * threads than free processors, most steps wait for the slices of other programs.
 */
function runToken(count: number, { processors, neighbours, random }: Simulation) {
  const free = processors - neighbours;
  const noise = 1 + 0.1 * random();
  // One thread among busy programs gets its share of a processor.
  const alone = TOKEN_MS * Math.max(1, (neighbours + 1) / processors) * noise;
  if (count === 1) return { ms: alone, lateMs: 0 };
  const ms = (TOKEN_MS / count) * noise;
  if (count <= free) return { ms, lateMs: 0 };
  const lateMs = random() < 0.2 ? 0 : TOKEN_MS * (1 + 2 * random());
  return { ms: ms + lateMs, lateMs: lateMs / 2 };
}

/** Runs tokens for a time; returns tokens a second, and how often each number of threads ran. */
function run(pace: Pace, simulation: Simulation, durationMs: number) {
  const used = new Map<number, number>();
  let ms = 0;
  let tokens = 0;
  for (; ms < durationMs; tokens++) {
    const { count } = pace;
    assert.ok(Number.isInteger(count) && count >= 1 && count <= pace.most, `${count} threads`);
    used.set(count, (used.get(count) ?? 0) + 1);
    const piece = runToken(count, simulation);
    pace.done({ ...piece, units: 1 });
    ms += piece.ms;
  }
  return { rate: (tokens * 1000) / ms, used };
}

const simulate = (processors: number, neighbours: number, seed = 1): Simulation => ({
  processors,
  neighbours,
  random: seededRandom(seed),
});

test("a quiet machine has all threads, always", () => {
  for (const processors of [2, 4, 8]) {
    const { used } = run(new Pace(processors), simulate(processors, 0), 20_000);
    assert.equal([...used.keys()], [processors]);
  }
});

test("a rare late thread costs a quiet machine next to nothing", () => {
  const random = seededRandom(2);
  const pace = new Pace(2);
  let ms = 0;
  let idealMs = 0;
  for (let token = 0; token < 20_000; token++) {
    const lateMs = random() < 0.01 ? 6 * random() : 0;
    const own = (pace.count === 2 ? 5 : 10) + lateMs;
    pace.done({ ms: own, units: 1, lateMs: pace.count === 2 ? lateMs / 2 : 0 });
    ms += own;
    idealMs += 5 + lateMs;
  }
  assert.ok(idealMs / ms > 0.97, `${idealMs / ms}`);
});

test("among busy programs the pace is nearly as fast as the best number of threads", () => {
  for (const [processors, most, neighbours] of [
    [2, 2, 1],
    [2, 2, 2],
    [2, 8, 0],
    [2, 64, 1],
    [8, 8, 1],
    [8, 8, 3],
  ]) {
    for (let seed = 1; seed <= 5; seed++) {
      const rates = Array.from({ length: most }, (_, i) => {
        const fixed = new Pace(i + 1, i + 1);
        Object.defineProperty(fixed, "count", { value: i + 1 });
        return run(fixed, simulate(processors, neighbours, seed), 2_000).rate;
      });
      const pace = new Pace(most);
      const simulation = simulate(processors, neighbours, seed);
      // Finding the number takes a second.
      run(pace, simulation, 1_000);
      const { rate } = run(pace, simulation, 20_000);
      const share = rate / Math.max(...rates);
      assert.ok(share > 0.9, `${most} threads, ${neighbours} of ${processors} busy: ${share}`);
    }
  }
});

test("threads come back soon after the neighbours have left", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const pace = new Pace(8);
    const simulation = simulate(8, 6, seed);
    run(pace, simulation, 20_000);
    assert.ok(pace.count < 8);
    simulation.neighbours = 0;
    run(pace, simulation, 6_000);
    assert.is(pace.count, 8);
  }
});

test("pieces of any length are judged: one of a second is a trial of its own", () => {
  const pace = new Pace(2);
  for (let i = 0; i < 20; i++) {
    const isLate = pace.count === 2;
    pace.done({ ms: isLate ? 3000 : 1000, units: 512, lateMs: isLate ? 1000 : 0 });
  }
  assert.is(pace.count, 1);
});

test("units count: a longer piece is not a slower one", () => {
  const pace = new Pace(2);
  for (let i = 0; i < 200; i++) {
    const units = 1 + (i % 7);
    const isLate = pace.count === 2;
    pace.done({ ms: units * (isLate ? 20 : 10), units, lateMs: isLate ? units * 5 : 0 });
  }
  assert.is(pace.count, 1);
});

test.run();
