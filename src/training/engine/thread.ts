/** One thread of a training run: its parts, and the loop of threads other than the caller's. */
import { Member, type MemberParts } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import { type Architecture, createSublayers, PLM } from "../network/architecture.js";
import { Backward } from "../network/backward.js";
import { Forward } from "../network/forward.js";
import { Head } from "../network/head.js";
import type { Parameters } from "../network/parameters.js";
import { GRADIENT_SCALE, type Names, type TrainingParts } from "../network/parts.js";
import type { TrainingBuffers, TrainingSizes } from "./buffers.js";
import type { TrainingKernels } from "./kernels.js";
import { Optimizer } from "./optimizer.js";

/** A thread this late is lost; it may have whole sequences to compute. */
const PATIENCE_MS = 600_000;

/**
 * What all threads do together: `transpose` the matrices that were written, `clear` the gradients,
 * add those of a `batch`, `update` the parameters, or `evaluate` the losses of a batch.
 */
export const WORKS = ["transpose", "clear", "batch", "update", "evaluate"] as const;
export type Work = (typeof WORKS)[number];

/** A run as data that can be sent to any thread; the architecture is code. */
export interface TrainingData {
  readonly config: PlmConfig;
  readonly sizes: TrainingSizes;
  readonly parameters: Parameters<string>;
  readonly buffers: TrainingBuffers<string, string>;
}

/** The message that a thread starts with. */
export interface TrainingThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly data: TrainingData;
  readonly index: number;
}

/** One thread's part of a run. */
export class TrainingThread {
  readonly member: Member;
  readonly #forward: Forward;
  readonly #backward: Backward;
  readonly #head: Head;
  readonly #optimizer: Optimizer;
  readonly #hyper: Float32Array;

  constructor(
    data: TrainingData,
    kernels: TrainingKernels,
    memory: WebAssembly.Memory,
    { index, maySleep }: Pick<MemberParts, "index" | "maySleep">,
    architecture: Architecture,
  ) {
    const { buffers } = data;
    const teamPtr = buffers.team;
    const patienceMs = PATIENCE_MS;
    this.member = new Member({ kernels, memory, teamPtr, index, maySleep, patienceMs });
    const [structsPtr, scratchPtr] = [buffers.structs[index], buffers.scratch[index]];
    const { member } = this;
    const own = { kernels, memory, member, structsPtr, scratchPtr };
    const parts: TrainingParts<Names> = { ...data, ...own };
    const sublayers = createSublayers(architecture, parts);
    this.#forward = new Forward(parts, sublayers);
    this.#backward = new Backward(parts, sublayers);
    this.#head = new Head(parts);
    this.#optimizer = new Optimizer(parts);
    this.#hyper = new Float32Array(memory.buffer, buffers.hyper, 16);
  }

  /** This thread's share of a piece of work that has begun; on return all threads have ended it. */
  perform(work: Work): void {
    if (work === "transpose" || work === "clear" || work === "update") this.#optimizer[work]();
    else {
      this.#forward.run();
      if (work === "batch") this.#backward.run(this.#hyper[GRADIENT_SCALE]);
      else this.#head.run();
    }
    this.member.join();
  }
}

/** Computes until it is dismissed, with PLM's architecture. Calls `ready` once it can. */
export function runTrainingThread(
  { module, memory, data, index }: TrainingThreadStart,
  ready: () => void,
): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = exports as unknown as TrainingKernels;
  const thread = new TrainingThread(data, kernels, memory, { index, maySleep: true }, PLM);
  const words = new Int32Array(memory.buffer, data.buffers.work, 1);
  const done = thread.member.announced;
  ready();
  thread.member.follow(done, () => thread.perform(WORKS[words[0]]));
}
