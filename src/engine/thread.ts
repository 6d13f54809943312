/** One thread's part of a model: what it is made of, and the loop of a thread of its own. */

import { type CacheType, LatentCache } from "../cache/rows.js";
import type { KernelChoice } from "../kernels/choose-kernels.js";
import type { Kernels } from "../kernels/kernels.js";
import { Member } from "../kernels/team.js";
import type { PackTarget } from "../loading/staging.js";
import { helpReadWeights } from "../loading/staging.js";
import type { Buffers } from "../model/buffers.js";
import type { PlmConfig } from "../model/config.js";
import { Plm } from "../model/plm.js";
import type { PlmWeights } from "../model/weights.js";
import type { Meeting } from "./meeting.js";
import { performAnnounced, WorkBoard } from "./work.js";

/** What a model is, as data that any thread can be given. */
export interface ModelData {
  readonly config: PlmConfig;
  readonly weights: PlmWeights;
  readonly buffers: Buffers;
  readonly meeting: Meeting;
  readonly cachePtrs: readonly number[];
  readonly cacheType: CacheType;
  readonly contextLength: number;
  readonly choice: KernelChoice;
}

/** What a thread is started with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly model: ModelData;
  readonly index: number;
}

/** Where its weights are staged: where activations are once they are loaded. */
export function stagingOf({
  meeting,
  buffers,
}: Pick<ModelData, "meeting" | "buffers">): Omit<PackTarget, "kernels" | "memory"> {
  return { queuePtr: meeting.queue, stagingPtr: buffers.x, threads: buffers.threads.length };
}

/** The model as one thread computes with it. */
export function createPlm(
  model: ModelData,
  kernels: Kernels,
  memory: WebAssembly.Memory,
  { index, maySleep }: { index: number; maySleep: boolean },
): Plm {
  const { config, weights, choice } = model;
  const buffers = { ...model.buffers, ...model.buffers.threads[index] };
  const member = new Member({ kernels, memory, teamPtr: model.meeting.team, index, maySleep });
  return new Plm({ config, kernels, memory, member, buffers }, weights, choice);
}

/**
 * Helps to load the weights, then computes until it is dismissed. Calls `ready` once it can.
 */
export function runThread({ module, memory, model, index }: ThreadStart, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = exports as unknown as Kernels;
  const plm = createPlm(model, kernels, memory, { index, maySleep: true });
  const { config, cacheType, contextLength } = model;
  const caches = model.cachePtrs.map(
    (ptr) => new LatentCache(ptr, cacheType, config, contextLength),
  );
  const board = new WorkBoard(memory, model.meeting.work, caches);
  const done = plm.member.announced;
  ready();
  helpReadWeights(model.weights, { kernels, memory, ...stagingOf(model) }, index);
  performAnnounced(plm, board, done);
}
