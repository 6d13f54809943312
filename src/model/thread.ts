/** One thread's part of a model: what it is made of, and the loop of a thread of its own. */
import type { Kernels } from "../kernels/kernels.js";
import { Member } from "../kernels/team.js";
import type { Buffers } from "./buffers.js";
import { type CacheType, LatentCache } from "./cache.js";
import type { KernelChoice } from "./choose-kernels.js";
import type { PlmConfig } from "./config.js";
import { Plm } from "./plm.js";
import { helpReadWeights } from "./staging.js";
import type { PlmWeights } from "./weights.js";
import { performAnnounced, WorkBoard } from "./work.js";

/** What a model is, as data that any thread can be given. */
export interface ModelData {
  readonly config: PlmConfig;
  readonly weights: PlmWeights;
  readonly buffers: Buffers;
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

/** The model as one thread computes with it. */
export function createPlm(
  model: ModelData,
  kernels: Kernels,
  memory: WebAssembly.Memory,
  { index, maySleep }: { index: number; maySleep: boolean },
): Plm {
  const { config, weights, choice } = model;
  const buffers = { ...model.buffers, ...model.buffers.threads[index] };
  const member = new Member({ kernels, memory, teamPtr: buffers.team, index, maySleep });
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
  const board = new WorkBoard(memory, model.buffers.work, caches);
  const done = plm.member.announced;
  ready();
  helpReadWeights(model.weights, { kernels, memory, buffers: model.buffers }, index);
  performAnnounced(plm, board, done);
}
