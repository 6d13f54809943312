/** Axes of charts: round ticks and their labels. */

/** An axis: its domain and the ticks in it. */
export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** The label of a tick. */
  label(value: number): string;
}

/** The most steps between ticks, for an axis that ends at ticks or at the values. */
const STEPS = { ticks: 5, values: 10 };

/** 1, 2 or 5 times a power of ten: the least that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((round) => round * power >= least) ?? 10;
  return factor * power;
}

/** The largest magnitude that axes take. */
export const MOST_VALUE = 1e30;

/**
 * An axis over the values from `low` to `high`, at most MOST_VALUE. One that is `padded` ends at
 * ticks, so that the values do not touch its ends.
 */
export function axisOf(low: number, high: number, padded: boolean): Axis {
  // A single value: the axis shows its neighbourhood.
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const around = high - low <= 1e-9 * largest ? largest / 10 || 1 : 0;
  const step = roundStep((high - low + 2 * around) / (padded ? STEPS.ticks : STEPS.values));
  const [from, to] = [low - around, high + around];
  const first = padded ? Math.floor(from / step + 1e-9) : Math.ceil(from / step - 1e-9);
  const last = padded ? Math.ceil(to / step - 1e-9) : Math.floor(to / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const [min, max] = padded ? [ticks[0], ticks[ticks.length - 1]] : [from, to];
  return { min, max, ticks, label: (value) => labelOf(value, step) };
}

/** The value with the step's precision: "1,500", "0.25", "2e-6". */
function labelOf(value: number, step: number): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (Math.abs(value) < step / 2) return "0";
  if (decimals > 4) return String(Number(value.toPrecision(3)));
  return withThousands(value.toFixed(decimals));
}

/** Digits in groups of three: "12,345.6". */
export function withThousands(digits: string): string {
  const [whole, ...fraction] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...fraction].join(".");
}
