/** The WSDC schedule: warm-up, stable, decay, constant. Steps are updates, counted from 1. */
import type { BatchConfig, Phase, ScheduleConfig } from "./config.js";

/** The ends of the warm-up, the stable phase and the decay, in steps; not rounded. */
export interface PhaseEnds {
  readonly warmup: number;
  readonly stable: number;
  readonly decay: number;
}

/** The ends of the schedule's parts, in steps. */
export function phaseEnds({ steps, warmup, stable, decay }: ScheduleConfig): PhaseEnds {
  const end = (fraction: number): number => stepsOf(fraction, steps);
  return { warmup: end(warmup), stable: end(stable), decay: end(decay) };
}

/** A fraction of the steps, without rounding errors near whole steps: 0.29 of 100 is 29. */
function stepsOf(fraction: number, steps: number): number {
  const product = fraction * steps;
  const whole = Math.round(product);
  return Math.abs(product - whole) <= 1e-12 * steps ? whole : product;
}

/** The phase of a step, 1 to `steps`; the warm-up belongs to the stable phase. */
export function phaseOf(schedule: ScheduleConfig, step: number): Phase {
  const { stable, decay } = phaseEnds(schedule);
  if (step <= stable) return "stable";
  return step <= decay ? "decay" : "constant";
}

/** The last step at peakRate, from which a run of another length can continue. */
export function lastStableStep(schedule: ScheduleConfig): number {
  return Math.floor(phaseEnds(schedule).stable);
}

/**
 * The rate of a step s, 1 to `steps`: peakRate s / W to the end W of the warm-up, peakRate to the
 * end S of the stable phase, along the curve to finalRate at the end D of the decay, finalRate
 * after it.
 */
export function learningRate(schedule: ScheduleConfig, step: number): number {
  const { peakRate, finalRate, curve } = schedule;
  const { warmup, stable, decay } = phaseEnds(schedule);
  if (step < warmup) return (peakRate * step) / warmup;
  if (step <= stable) return peakRate;
  if (step >= decay) return finalRate;
  const progress = (step - stable) / (decay - stable);
  switch (curve) {
    case "linear":
      return peakRate + (finalRate - peakRate) * progress;
    case "cosine":
      return finalRate + ((peakRate - finalRate) * (1 + Math.cos(Math.PI * progress))) / 2;
    case "exponential":
      return peakRate * (finalRate / peakRate) ** progress;
  }
}

/** Micro-batches of a step, 1 to `steps`: the count of the last entry that has begun. */
export function microBatches(batch: BatchConfig, schedule: ScheduleConfig, step: number): number {
  const { steps } = schedule;
  const passed = batch.accumulate.filter(([from]) => step - 1 >= stepsOf(from, steps));
  return passed[passed.length - 1][1];
}
