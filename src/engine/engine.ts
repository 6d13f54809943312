/** The model on all its threads, driven from the caller's thread. */

import { PagePool, type PagesPlan } from "../cache/pages.js";
import type { SnapshotModel } from "../cache/read-snapshot.js";
import { cacheRowBytes } from "../cache/rows.js";
import { CacheSequence } from "../cache/sequence.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import { Leader } from "../kernels/leader.js";
import type { Variant } from "../kernels/load.js";
import { LATE_SHARE, Pace, type Piece as Timed } from "../kernels/pace.js";
import { release } from "../kernels/released.js";
import type { ThreadStarter } from "../kernels/start-threads.js";
import { BatchBoard, type Output, PHASES } from "../model/batch.js";
import type { PlmConfig } from "../model/config.js";
import { fingerprintOf } from "../model/fingerprint.js";
import type { Plm, Receive } from "../model/plm.js";
import type { Precision } from "../model/precision.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import type { ThreadHandle } from "../platform/thread-worker.js";
import { disposedModel } from "./disposed.js";
import type { Piece } from "./request.js";
import type { ModelData } from "./thread.js";
import { perform, type Work, WorkBoard } from "./work.js";

/** The parts of an engine. */
export interface EngineParts {
  readonly model: ModelData;
  readonly memory: WebAssembly.Memory;
  readonly plm: Plm;
  /** The threads beside the caller's; they are ready. */
  readonly threads: readonly ThreadHandle[];
  readonly precision: Precision;
  readonly variant: Variant;
  /** The place of the sequences' pages. */
  readonly pages: PagesPlan;
}

/** All parts that refer to the memory. */
interface LiveParts extends Omit<EngineParts, "pages"> {
  readonly batch: BatchBoard;
  readonly board: WorkBoard;
  readonly leader: Leader;
}

/** What chooseThreads runs with each count, and how close to the best is good enough. */
const TIMED_LAYERS = 2;
const TIMING_RUNS = 6;
const NEARLY_BEST = 1.05;

/** The time of some layers on `count` threads. */
interface LayerTiming {
  readonly count: number;
  readonly ms: number;
  readonly lateShare: number;
}

/** The place of a piece in a batch: decode comes first. */
function rank({ phase }: Piece): number {
  return phase === "decode" ? 0 : 1;
}

/** Orders outputs so that those that are computed together are adjacent. */
function outputRank({ kind, phase }: Output): number {
  return (kind === "logits" ? 0 : 1) * PHASES.length + PHASES.indexOf(phase);
}

export class Engine {
  readonly config: PlmConfig;
  /** The kernels that it computes with. */
  readonly variant: Variant;
  /** The rates of one thread's products in prefill, timed while loading, for ffn_up's type. */
  readonly kernelRates: MatmulRates | undefined;
  /** Squared-ReLU activations so far, and how many of them were not zero. */
  readonly sparsity: SparsityCount;
  /** Undefined after disposal, so that references to the engine do not keep the memory. */
  #parts: LiveParts | undefined;
  readonly #pages: PagePool;
  #fingerprint: string | undefined;
  /** By the logarithm of the tokens at once and their phases: within one, a token costs alike. */
  #paces: Pace[] = [];
  /** The number of threads that a pace begins with. */
  #count: number;

  constructor(parts: EngineParts) {
    const { memory, model, plm, threads, variant } = parts;
    const { choice, weights, meeting } = model;
    const batch = new BatchBoard(memory, model.batch);
    const board = new WorkBoard(memory, meeting.work, batch);
    const leader = new Leader(plm.member, threads);
    this.#pages = new PagePool(memory, parts.pages, () => this.expectUsable());
    this.#parts = { ...parts, batch, board, leader };
    this.config = model.config;
    this.variant = variant;
    this.kernelRates = choice.rates[weights.layers[0].upProj.type];
    this.sparsity = plm.sparsity;
    this.#count = leader.threads;
  }

  /** Threads that take part at most, the caller's among them. */
  get threads(): number {
    return this.#parts?.leader.threads ?? 1;
  }

  /** Whether it was disposed of. */
  get isDisposed(): boolean {
    return this.#parts === undefined;
  }

  /** An empty sequence in the cache. */
  createSequence(): CacheSequence {
    return new CacheSequence(this.#pages, this.config.numHiddenLayers);
  }

  /** The pages of all sequences. */
  get pages(): PagePool {
    return this.#pages;
  }

  /**
   * Evaluates pieces of several sequences, which have room for their rows, and fills in what is
   * requested of them; returns the milliseconds that took. The rows are in the cache then, behind
   * those that the sequences have. Throws DISPOSED and THREAD_LOST.
   */
  evaluate(pieces: readonly Piece[]): number {
    const { batch, memory } = this.#live();
    const ordered = [...pieces].sort((a, b) => rank(a) - rank(b));
    const requested: { output: Output; target: Float32Array }[] = [];
    let n = 0;
    for (const { tokens, outputs, targets } of ordered) {
      outputs.forEach((output, i) => {
        requested.push({ output: { ...output, row: n + output.row }, target: targets[i] });
      });
      n += tokens.length;
    }
    requested.sort((a, b) => outputRank(a.output) - outputRank(b.output));
    const receive: Receive = (first, count, ptr, stride) => {
      for (let i = 0; i < count; i++) {
        const { target } = requested[first + i];
        target.set(new Float32Array(memory.buffer, ptr + i * stride * 4, target.length));
      }
    };
    const written = batch.write(
      ordered,
      requested.map(({ output }) => output),
    );
    const layers = this.config.numHiddenLayers;
    const work = { kind: "evaluate", batch: written, layers } as const;
    const pace = this.#paceOf(n, rank(ordered[ordered.length - 1]));
    return this.#perform(work, pace, n, receive).ms;
  }

  /**
   * Throws THREAD_LOST while a lost thread may still read the batch and write to pages, which must
   * stay as they are until it has ended. Throws DISPOSED.
   */
  expectUsable(): void {
    this.#live().leader.expectUsable();
  }

  /** The model as saved sessions name it. Throws DISPOSED. */
  get snapshotModel(): Omit<SnapshotModel, "contextLength"> {
    const { model, memory } = this.#live();
    const { config, weights, cacheType, reading } = model;
    const fingerprint = this.#fingerprint ?? fingerprintOf(config, weights, memory, reading);
    this.#fingerprint = fingerprint;
    return {
      ...{ fingerprint, cacheType, rowBytes: cacheRowBytes(cacheType, config) },
      ...{ layers: config.numHiddenLayers, vocabSize: config.vocabSize },
    };
  }

  /** Packs the keys that decoding absorbs. To be called once, after the weights are read. */
  packKeys(): void {
    this.#perform({ kind: "packKeys" }, this.threads);
  }

  /** Reads all weights once on all threads, for timing. */
  readWeights(): void {
    this.#perform({ kind: "read" }, this.threads);
  }

  /**
   * Sets the fastest number of threads, found by timing layers on 1, 2, 4 and so on up to `most`;
   * the starter starts those that are missing. Ends the threads that slow it down, unless some were
   * late: then the machine was busy, and may be free later. To be called before any session
   * evaluates.
   */
  async chooseThreads(most: number, starter: Pick<ThreadStarter, "start">): Promise<void> {
    const { leader } = this.#live();
    let last = this.#timeLayers(1);
    const timings = [last];
    let bestMs = last.ms;
    // A clock may stand still.
    while (last.count < most && last.ms > 0 && last.ms <= bestMs * NEARLY_BEST) {
      const count = Math.min(last.count * 2, most);
      const { threads } = leader;
      if (count > threads) leader.add(await starter.start(count - threads));
      if (count > leader.threads) break;
      last = this.#timeLayers(count);
      timings.push(last);
      bestMs = Math.min(bestMs, last.ms);
    }
    const best = timings.find(({ ms }) => ms <= bestMs * NEARLY_BEST)!;
    this.#count = bestMs > 0 ? best.count : leader.threads;
    if (last.lateShare < LATE_SHARE) leader.keep(this.#count);
    this.#paces = [];
    this.sparsity.activations = 0;
    this.sparsity.nonZero = 0;
  }

  /** Ends the other threads and drops the references to the memory. */
  dispose(): void {
    if (this.#parts === undefined) return;
    this.#parts.leader.keep(1);
    this.#pages.dispose();
    release(this.#parts.memory);
    this.#parts = undefined;
  }

  #live(): LiveParts {
    if (this.#parts !== undefined) return this.#parts;
    throw disposedModel();
  }

  /** Times some layers on `count` threads: the best run, and the share of lateness. */
  #timeLayers(count: number): LayerTiming {
    const sequence = this.createSequence();
    sequence.reserve(1);
    const next = { tokens: [0], sequence, phase: "decode", form: "absorbed" } as const;
    const batch = this.#live().batch.write([next], []);
    const work = { kind: "evaluate", batch, layers: TIMED_LAYERS } as const;
    const run = (): Pick<Timed, "ms" | "lateMs"> => this.#perform(work, count);
    // The first run wakes the threads.
    run();
    const runs = Array.from({ length: TIMING_RUNS }, run);
    sequence.dispose();
    const total = (of: "ms" | "lateMs"): number => runs.reduce((sum, run) => sum + run[of], 0);
    return {
      count,
      ms: Math.min(...runs.map(({ ms }) => ms)),
      lateShare: total("lateMs") / (total("ms") || 1),
    };
  }

  /** The pace of passes over `n` tokens, whose last are in a phase of that rank. */
  #paceOf(n: number, phase: number): Pace {
    const index = Math.ceil(Math.log2(n)) * PHASES.length + phase;
    this.#paces[index] ??= new Pace(this.threads, this.#count);
    return this.#paces[index];
  }

  /** Performs a piece of work on all threads that take part. Throws THREAD_LOST. */
  #perform(
    work: Work,
    pace: Pace | number,
    units = 1,
    receive?: Receive,
  ): Pick<Timed, "ms" | "lateMs"> {
    const { board, leader, plm, precision } = this.#live();
    return leader.perform({
      pace,
      units,
      post: () => board.write(work, precision),
      perform: () => perform(plm, work, precision, receive),
    });
  }
}
