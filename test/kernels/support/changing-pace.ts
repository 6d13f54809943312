/** Teams with another number of threads in every piece of work. */
import { Pace } from "../../../src/kernels/pace.js";

/** Runs `work` while paces cycle through 1 to `most` threads; returns the numbers in order. */
export async function withChangingPace(most: number, work: () => Promise<void>): Promise<number[]> {
  const { done } = Pace.prototype;
  const count = Object.getOwnPropertyDescriptor(Pace.prototype, "count")!;
  const counts = new Set<number>();
  let pieces = 0;
  Object.defineProperty(Pace.prototype, "count", {
    get: () => 1 + ((pieces * 7) % most),
    configurable: true,
  });
  Pace.prototype.done = function (this: Pace): void {
    counts.add(this.count);
    pieces++;
  };
  try {
    await work();
  } finally {
    Object.defineProperty(Pace.prototype, "count", count);
    Pace.prototype.done = done;
  }
  return [...counts].sort((a, b) => a - b);
}
