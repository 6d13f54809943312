/** One thread's part of a model: its data, and the loop of threads other than the caller's. */

import { CacheRows, type CacheType } from "../cache/rows.js";
import type { KernelChoice } from "../kernels/choose-kernels.js";
import { kernelImports } from "../kernels/imports.js";
import type { Kernels } from "../kernels/kernels.js";
import type { UsableReading } from "../kernels/probe.js";
import { Member } from "../kernels/team.js";
import type { PackTarget } from "../loading/staging.js";
import { helpReadWeights } from "../loading/staging.js";
import { WindowPacker, WindowStaging } from "../loading/window-staging.js";
import { BatchBoard, type BatchPlan } from "../model/batch.js";
import type { Buffers } from "../model/buffers.js";
import type { PlmConfig } from "../model/config.js";
import { Plm } from "../model/plm.js";
import type { PlmWeights } from "../model/weights.js";
import type { Meeting } from "./meeting.js";
import { performAnnounced, type ThreadPart, WorkBoard } from "./work.js";

/** A model as data that can be sent to any thread. */
export interface ModelData {
  readonly config: PlmConfig;
  readonly weights: PlmWeights;
  readonly buffers: Buffers;
  readonly meeting: Meeting;
  readonly batch: BatchPlan;
  readonly cacheType: CacheType;
  readonly choice: KernelChoice;
  /** What the kernels are instantiated for. */
  readonly reading: UsableReading;
  /** Where chunks of streamed layers are staged. */
  readonly windowPtr: number;
}

/** The message that a thread starts with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly model: ModelData;
  readonly index: number;
}

/** Where its weights are staged: the place of activations, which are needed later. */
export function stagingOf({
  meeting,
  buffers,
}: Pick<ModelData, "meeting" | "buffers">): Omit<PackTarget, "kernels" | "memory"> {
  return { queuePtr: meeting.queue, stagingPtr: buffers.x, threads: buffers.threads.length };
}

/** The streamed layers' staging; the same on every thread. */
export function windowStagingOf({
  weights,
  buffers,
  windowPtr,
}: Pick<ModelData, "weights" | "buffers" | "windowPtr">): WindowStaging {
  return new WindowStaging(weights, buffers.threads.length, windowPtr);
}

/** A thread's part of the model. */
export function createThreadPart(
  model: ModelData,
  kernels: Kernels,
  memory: WebAssembly.Memory,
  { index, maySleep }: { index: number; maySleep: boolean },
): ThreadPart {
  const { config, weights, choice } = model;
  const buffers = { ...model.buffers, ...model.buffers.threads[index] };
  const member = new Member({ kernels, memory, teamPtr: model.meeting.team, index, maySleep });
  const batch = new BatchBoard(memory, model.batch);
  const cache = new CacheRows(kernels, model.cacheType, config);
  const parts = { config, kernels, memory, member, buffers, batch, cache };
  const isStreamed = weights.streamed.length > 0;
  const packer = isStreamed ? new WindowPacker(parts, windowStagingOf(model)) : undefined;
  return { plm: new Plm(parts, weights, choice), packer };
}

/**
 * Helps to load the weights, then computes until it is dismissed. Calls `ready` once it can.
 */
export function runThread({ module, memory, model, index }: ThreadStart, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, kernelImports(memory, model.reading));
  const kernels = exports as unknown as Kernels;
  const part = createThreadPart(model, kernels, memory, { index, maySleep: true });
  const board = new WorkBoard(memory, model.meeting.work, new BatchBoard(memory, model.batch));
  const done = part.plm.member.announced;
  ready();
  helpReadWeights(model.weights, { kernels, memory, ...stagingOf(model) }, index);
  performAnnounced(part, board, done);
}
