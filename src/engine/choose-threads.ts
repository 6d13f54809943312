/** Finds how many threads are the fastest by timing them. */
import type { Leader } from "../kernels/leader.js";
import { LATE_SHARE } from "../kernels/pace.js";
import type { ThreadStarter } from "../kernels/start-threads.js";

/** How close to the best is good enough. */
const NEARLY_BEST = 1.05;

/** What `count` threads took. */
export interface ThreadsTiming {
  readonly count: number;
  readonly ms: number;
  /** The share of it that an average thread slept at barriers. */
  readonly lateShare: number;
}

/**
 * The fastest number of threads of 1, 2, 4 and so on up to `most`, which `time` times; the starter
 * starts those that are missing. Ends the threads that slow it down, unless some were late: then
 * the machine was busy, and may be free later.
 */
export async function chooseThreads(
  leader: Leader,
  time: (count: number) => ThreadsTiming,
  most: number,
  starter: Pick<ThreadStarter, "start">,
): Promise<number> {
  let last = time(1);
  const timings = [last];
  let bestMs = last.ms;
  // A clock may stand still.
  while (last.count < most && last.ms > 0 && last.ms <= bestMs * NEARLY_BEST) {
    const count = Math.min(last.count * 2, most);
    const { threads } = leader;
    if (count > threads) leader.add(await starter.start(count - threads));
    if (count > leader.threads) break;
    last = time(count);
    timings.push(last);
    bestMs = Math.min(bestMs, last.ms);
  }
  const best = timings.find(({ ms }) => ms <= bestMs * NEARLY_BEST)!;
  const count = bestMs > 0 ? best.count : leader.threads;
  if (last.lateShare < LATE_SHARE) leader.keep(count);
  return count;
}
