/** Where a model's threads meet: the barrier, the announced work, the chunks to pack. */
import type { MemoryPlan } from "../kernels/arena.js";
import { TEAM_BYTES } from "../kernels/team.js";
import { QUEUE_BYTES } from "../loading/chunk-queue.js";

/** Bytes of the words that describe announced work (work.ts). */
export const WORK_BYTES = 64;

/** Addresses outside of loading's buffers, because threads wait there meanwhile. */
export interface Meeting {
  readonly team: number;
  readonly work: number;
  readonly queue: number;
}

export function planMeeting(plan: MemoryPlan): Meeting {
  return {
    team: plan.add("scratch", "team of threads", TEAM_BYTES),
    work: plan.add("scratch", "announced work", WORK_BYTES),
    queue: plan.add("scratch", "queue of chunks while loading", QUEUE_BYTES),
  };
}
