/** Comparison of arrays of numbers that reports where and by how much they differ. */
import * as assert from "uvu/assert";

/** The allowed error: |actual - expected| <= abs + rel * |expected|. */
export interface Tolerance {
  abs?: number;
  rel?: number;
}

/** Fails at the first element outside the tolerance, NaN included. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { abs = 0, rel = 0 }: Tolerance,
  what = "values",
): void {
  assert.is(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= abs + rel * Math.abs(expected[i]))) {
      assert.unreachable(
        `${what}[${i}]: expected ${expected[i]}, got ${actual[i]} (off by ${difference})`,
      );
    }
  }
}

/** Root mean square of the difference over that of `expected`. */
export function relativeRms(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = 0;
  let power = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i] - expected[i]) ** 2;
    power += expected[i] ** 2;
  }
  return Math.sqrt(error / power);
}
