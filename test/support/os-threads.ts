/** Threads of this process, JavaScript's and the engine's, as Linux has them. */
import { existsSync, readdirSync } from "node:fs";
import * as assert from "uvu/assert";

const TASKS = "/proc/self/task";

/** Whether this system says how many there are. */
export const countsThreads: boolean = existsSync(TASKS);

export const osThreads = (): number => readdirSync(TASKS).length;

/** Waits until there are `most` at most; fails after a second and a half. */
export async function untilThreads(most: number): Promise<void> {
  for (let i = 0; osThreads() > most && i < 150; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(osThreads() <= most, `${osThreads()} threads, ${most} before`);
}
