/** Timing of one function with benchmark.js. */
import Benchmark from "benchmark";

/** Milliseconds of a call over the samples of a measurement; a sample is a mean over 10 ms. */
export interface Timing {
  readonly medianMs: number;
  /** The quartiles: half of the samples lie between them. */
  readonly lowMs: number;
  readonly highMs: number;
  readonly samples: number;
}

/**
 * Times `run` for about `seconds`, with at least 5 samples, after a fifth of that to warm up:
 * engines replace their first, quick translation of wasm while it runs. Throws what `run` throws.
 */
export function measure(name: string, run: () => void, seconds: number): Timing {
  const start = performance.now();
  do run();
  while (performance.now() - start < seconds * 200);
  const benchmark = new Benchmark(name, run, { maxTime: seconds, minSamples: 5, minTime: 0.01 });
  benchmark.run({ async: false });
  if (benchmark.error) throw benchmark.error;
  const sorted = (benchmark.stats.sample as number[]).map((s) => s * 1000).sort((a, b) => a - b);
  return {
    medianMs: quantile(sorted, 0.5),
    lowMs: quantile(sorted, 0.25),
    highMs: quantile(sorted, 0.75),
    samples: sorted.length,
  };
}

/** The median of numbers in any order. */
export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** Interpolates between neighbours. */
function quantile(sorted: number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}
