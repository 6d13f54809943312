/** The rates of prefill's kernels, in words. */
import type { MatmulRates } from "../kernels/choose-kernels.js";

/** Such as "i16 38, two planes 60, one plane 90 GMAC/s", of that many threads together. */
export function describeRates(
  { exact, twoPlanes, onePlane }: MatmulRates,
  threads: number = 1,
): string {
  const of = (name: string, gmacs: number): string => `${name} ${(gmacs * threads).toFixed(0)}`;
  const two = twoPlanes === undefined ? [] : [of("two planes", twoPlanes)];
  return `${[of("i16", exact), ...two, of("one plane", onePlane)].join(", ")} GMAC/s`;
}
