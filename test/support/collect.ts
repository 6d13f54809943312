/** Garbage, collected on request. */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects garbage now. */
export const collect: () => void = runInNewContext("gc");

/** Collects garbage until a condition holds; false if it does not within 10 seconds. */
export async function collectUntil(isSo: () => boolean): Promise<boolean> {
  for (let i = 0; i < 500 && !isSo(); i++) {
    collect();
    await sleep(20);
  }
  return isSo();
}
