/** A training run's steps on all threads, driven from the caller's thread. */
import { PlmError } from "../../errors.js";
import { type Follower, Leader } from "../../kernels/leader.js";
import { Pace } from "../../kernels/pace.js";
import type { PlmConfig } from "../../model/config.js";
import { fillRopeTable } from "../../model/rope-table.js";
import type { Batch } from "../data/batches.js";
import type { Parameters } from "../network/parameters.js";
import { CLIP, DROPOUT, DROPOUT_KEY, GRADIENT_NORM, GRADIENT_SCALE } from "../network/parts.js";
import type { TrainingSizes } from "./buffers.js";
import { NO_TARGET } from "./kernels.js";
import { type TrainingData, type TrainingThread, WORKS, type Work } from "./thread.js";

/** How parameters are updated. */
export interface UpdateOptions {
  /** From 1, for the moments' bias correction. */
  readonly step: number;
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly clip: number;
}

/** The dropout of a batch's activations. */
export interface DropoutOptions {
  /** The share that is zeroed, in [0, 1). */
  readonly share: number;
  /** 32 bits that determine which ones; different for every batch. */
  readonly key: number;
}

const NO_DROPOUT: DropoutOptions = { share: 0, key: 0 };

/** The results of a batch. */
export interface BatchLoss {
  /** The sum of -log p over the targets, in nats, and the number of targets. */
  readonly loss: number;
  readonly targets: number;
}

export class TrainingEngine {
  /** Why fewer threads take part than planned. */
  readonly threadFailure: Error | undefined;
  readonly #data: TrainingData;
  readonly #memory: WebAssembly.Memory;
  readonly #thread: TrainingThread;
  readonly #leader: Leader;
  /** The numbers of threads for a whole batch, and for forward alone. */
  readonly #batchPace: Pace;
  readonly #evaluationPace: Pace;
  readonly #hyper: Float32Array;
  readonly #work: Int32Array;
  /** [threads, layers]: activations of the last batch that were not zero. */
  readonly #nonZero: Uint32Array;

  constructor(
    data: TrainingData,
    memory: WebAssembly.Memory,
    thread: TrainingThread,
    threads: readonly Follower[],
    threadFailure?: Error,
  ) {
    this.threadFailure = threadFailure;
    this.#data = data;
    this.#memory = memory;
    this.#thread = thread;
    this.#leader = new Leader(thread.member, threads);
    this.#batchPace = new Pace(this.#leader.threads);
    this.#evaluationPace = new Pace(this.#leader.threads);
    this.#hyper = new Float32Array(memory.buffer, data.buffers.hyper, 16);
    this.#work = new Int32Array(memory.buffer, data.buffers.work, 16);
    const { buffers, parameters, sizes } = data;
    const counts = parameters.layers.length * sizes.threads;
    this.#nonZero = new Uint32Array(memory.buffer, buffers.nonZero, counts);
    fillRopeTable(memory, data.buffers.ropeTable, data.config, data.sizes.contextLength);
  }

  get config(): PlmConfig {
    return this.#data.config;
  }

  /** Threads that take part at most, the caller's among them. */
  get threads(): number {
    return this.#leader.threads;
  }

  get sizes(): TrainingSizes {
    return this.#data.sizes;
  }

  get parameters(): Parameters {
    return this.#data.parameters;
  }

  /** f32[parameters.length] in place; call `valuesWritten` after writing to them. */
  get values(): Float32Array {
    return this.#floats(this.#data.buffers.values);
  }

  get gradients(): Float32Array {
    return this.#floats(this.#data.buffers.gradients);
  }

  get firstMoments(): Float32Array {
    return this.#floats(this.#data.buffers.firstMoments);
  }

  get secondMoments(): Float32Array {
    return this.#floats(this.#data.buffers.secondMoments);
  }

  /** Applies what was written to `values`. */
  valuesWritten(): void {
    this.#perform("transpose");
  }

  /** Sets the gradients to 0, before the first batch of a step. */
  clear(): void {
    this.#perform("clear");
  }

  /** Adds the gradients of the batch's losses, each times `scale`. */
  addBatch(batch: Batch, scale: number, dropout: DropoutOptions = NO_DROPOUT): BatchLoss {
    this.#write(batch, dropout);
    this.#hyper[GRADIENT_SCALE] = scale;
    this.#perform("batch", this.#batchPace);
    return this.#loss(batch);
  }

  /** The batch's losses, without gradients. */
  evaluate(batch: Batch): BatchLoss {
    this.#write(batch, NO_DROPOUT);
    this.#perform("evaluate", this.#evaluationPace);
    return this.#loss(batch);
  }

  /**
   * -log p of each of the last batch's targets, in nats, f64[tokens] in place; 0 for a token
   * without a target.
   */
  get losses(): Float64Array {
    return new Float64Array(
      this.#memory.buffer,
      this.#data.buffers.losses,
      this.#data.sizes.tokens,
    );
  }

  /** Each layer's share of zeros after the squared ReLU in the last batch. */
  zeroShares(): number[] {
    const { config, parameters, sizes } = this.#data;
    const { length } = parameters.layers;
    return parameters.layers.map((_, layer) => {
      let nonZero = 0;
      for (let i = layer; i < this.#nonZero.length; i += length) nonZero += this.#nonZero[i];
      return 1 - nonZero / (sizes.tokens * config.intermediateSize);
    });
  }

  /**
   * One step of AdamW; returns the gradients' norm before clipping. If that is not finite, throws
   * TRAINING_DIVERGED and leaves all parameters as they were.
   */
  update(options: UpdateOptions): number {
    const { step, rate, beta1, beta2, epsilon, weightDecay, clip } = options;
    const corrections = [1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)];
    this.#hyper.set([rate, beta1, beta2, epsilon, weightDecay, ...corrections, 1]);
    this.#hyper[CLIP] = clip;
    this.#perform("update");
    const norm = this.#hyper[GRADIENT_NORM];
    if (!Number.isFinite(norm)) {
      throw new PlmError(
        "TRAINING_DIVERGED",
        `step ${step}: expected gradients with a finite norm, got ${norm}`,
      );
    }
    return norm;
  }

  /** Ends the other threads. */
  dispose(): void {
    this.#leader.keep(1);
  }

  #floats(ptr: number): Float32Array {
    return new Float32Array(this.#memory.buffer, ptr, this.#data.parameters.length);
  }

  #write(batch: Batch, { share, key }: DropoutOptions): void {
    const { buffers, sizes } = this.#data;
    this.#hyper[DROPOUT] = share;
    this.#work[DROPOUT_KEY] = key;
    const words = (ptr: number): Uint32Array =>
      new Uint32Array(this.#memory.buffer, ptr, sizes.tokens);
    words(buffers.ids).set(batch.ids);
    words(buffers.targets).set(batch.targets);
    words(buffers.positions).set(batch.positions);
    words(buffers.starts).set(batch.starts);
  }

  #loss({ targets }: Batch): BatchLoss {
    const loss = this.losses.reduce((sum, value) => sum + value, 0);
    return { loss, targets: targets.reduce((n, target) => n + Number(target !== NO_TARGET), 0) };
  }

  #perform(work: Work, pace: Pace | number = this.#batchPace.count): void {
    // Threads that take no part leave their counts as they are.
    if (typeof pace !== "number") this.#nonZero.fill(0);
    this.#leader.perform({
      pace,
      units: 1,
      post: () => {
        this.#work[0] = WORKS.indexOf(work);
      },
      perform: () => this.#thread.perform(work),
    });
  }
}
