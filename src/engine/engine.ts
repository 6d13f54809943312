/** The model on all its threads, as the thread of the caller drives it. */

import type { LatentCache } from "../cache/rows.js";
import { PlmError } from "../errors.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import { Leader } from "../kernels/leader.js";
import type { Variant } from "../kernels/load.js";
import { LATE_SHARE, Pace, type Piece } from "../kernels/pace.js";
import { release } from "../kernels/released.js";
import type { ThreadStarter } from "../kernels/start-threads.js";
import { type AttentionForm, chooseAttention } from "../model/attention-form.js";
import type { Plm, SparsityCount } from "../model/plm.js";
import type { Precision } from "../model/precision.js";
import { outputStride } from "../model/weights.js";
import type { ThreadHandle } from "../platform/thread-worker.js";
import type { ModelData } from "./thread.js";
import { perform, type Work, WorkBoard } from "./work.js";

/** What an engine is made of. */
export interface EngineParts {
  readonly model: ModelData;
  readonly memory: WebAssembly.Memory;
  readonly plm: Plm;
  readonly caches: readonly LatentCache[];
  /** The threads beside the caller's; they are ready. */
  readonly threads: readonly ThreadHandle[];
  readonly precision: Precision;
  readonly variant: Variant;
}

/** All that refers to the memory. */
interface LiveParts extends EngineParts {
  readonly board: WorkBoard;
  readonly leader: Leader;
}

/** What chooseThreads runs with each count, and how much slower than the best may stay. */
const TIMED_LAYERS = 2;
const TIMING_RUNS = 6;
const NEARLY_BEST = 1.05;

/** What some layers took on `count` threads. */
interface LayerTiming {
  readonly count: number;
  readonly ms: number;
  readonly lateShare: number;
}

export class Engine {
  /** The kernels that it computes with. */
  readonly variant: Variant;
  /** What one thread's products of many tokens reached while loading, for ffn_up's type. */
  readonly kernelRates: MatmulRates | undefined;
  /** How many squared-ReLU activations there were so far, and how many were not zero. */
  readonly sparsity: SparsityCount;
  /** Undefined once disposed of: an engine that is still referred to does not keep its memory. */
  #parts: LiveParts | undefined;
  /** By the logarithm of how many tokens come at once: these cost about the same each. */
  #paces: Pace[] = [];
  /** How many threads a pace begins with, and the pace of the last pass. */
  #count: number;
  #lastPace: Pace;

  constructor(parts: EngineParts) {
    const { memory, model, caches, plm, threads, variant } = parts;
    const { choice, weights, meeting } = model;
    const board = new WorkBoard(memory, meeting.work, caches);
    const leader = new Leader(plm.member, threads);
    this.#parts = { ...parts, board, leader };
    this.variant = variant;
    this.kernelRates = choice.rates[weights.layers[0].upProj.type];
    this.sparsity = plm.sparsity;
    this.#count = leader.threads;
    this.#lastPace = this.#paceOf(1);
  }

  /** Threads that take part at most, the caller's among them. */
  get threads(): number {
    return this.#parts?.leader.threads ?? 1;
  }

  /**
   * Runs `tokens` (at most batchSize) at positions `position`.. and appends their rows to the
   * cache. Throws THREAD_LOST.
   */
  forward(
    tokens: ArrayLike<number>,
    position: number,
    cache: LatentCache,
    form: AttentionForm,
  ): void {
    const { model, memory } = this.#live();
    const { config, buffers } = model;
    const n = tokens.length;
    new Uint32Array(memory.buffer, buffers.tokens, n).set(tokens);
    const chosen = chooseAttention(form, config, n, position);
    const span = { n, position, cache, form: chosen };
    this.#lastPace = this.#paceOf(n);
    const work = { kind: "forward", span, layers: config.numHiddenLayers } as const;
    this.#perform(work, this.#lastPace, n);
  }

  /**
   * Writes the logits of some of the tokens that forward ran, from the `first` on, to `out`:
   * f32[count, vocabSize], count at most LOGITS_ROWS.
   */
  logits(first: number, out: Float32Array): void {
    const { model, memory } = this.#live();
    const { config, weights, buffers } = model;
    const { vocabSize } = config;
    const count = out.length / vocabSize;
    this.#perform({ kind: "logits", first, count }, this.#lastPace.count);
    const stride = outputStride(weights.lmHead);
    for (let i = 0; i < count; i++) {
      const at = buffers.logits + i * stride * 4;
      out.set(new Float32Array(memory.buffer, at, vocabSize), i * vocabSize);
    }
  }

  /** Packs the keys that decoding absorbs; to be called once, when the weights are in memory. */
  packKeys(): void {
    this.#perform({ kind: "packKeys" }, this.threads);
  }

  /** Reads all weights once, all threads together, and does nothing with them. */
  readWeights(): void {
    this.#perform({ kind: "read" }, this.threads);
  }

  /**
   * Goes on with as many threads as are fastest, found by timing layers with 1, 2, 4 and so on of
   * them, at most `most`; the starter starts those that are not there yet. Ends threads that only
   * make it slower, except where threads were late: the machine was busy, and may not be later. To
   * be called while no session has evaluated anything.
   */
  async chooseThreads(most: number, starter: Pick<ThreadStarter, "start">): Promise<void> {
    const { leader, memory, model } = this.#live();
    // Where tokens are, loading left anything.
    new Uint32Array(memory.buffer, model.buffers.tokens, 1)[0] = 0;
    let last = this.#timeLayers(1);
    const timings = [last];
    let bestMs = last.ms;
    // A clock that stands still says nothing.
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
    this.#lastPace = this.#paceOf(1);
    this.sparsity.activations = 0;
    this.sparsity.nonZero = 0;
  }

  /** Has the other threads return, and lets go of the memory. */
  dispose(): void {
    if (this.#parts === undefined) return;
    this.#parts.leader.keep(1);
    release(this.#parts.memory);
    this.#parts = undefined;
  }

  #live(): LiveParts {
    if (this.#parts !== undefined) return this.#parts;
    throw new PlmError("DISPOSED", "model: expected a live model, got a disposed one");
  }

  /** The least milliseconds that some layers take on so many threads, and how late these were. */
  #timeLayers(count: number): LayerTiming {
    const span = { n: 1, position: 0, cache: this.#live().caches[0], form: "absorbed" } as const;
    const work = { kind: "forward", span, layers: TIMED_LAYERS } as const;
    // The first run wakes the threads.
    this.#perform(work, count);
    const runs = Array.from({ length: TIMING_RUNS }, () => this.#perform(work, count));
    const total = (of: "ms" | "lateMs"): number => runs.reduce((sum, run) => sum + run[of], 0);
    return {
      count,
      ms: Math.min(...runs.map(({ ms }) => ms)),
      lateShare: total("lateMs") / (total("ms") || 1),
    };
  }

  /** The pace of passes over `n` tokens. */
  #paceOf(n: number): Pace {
    const index = Math.ceil(Math.log2(n));
    this.#paces[index] ??= new Pace(this.threads, this.#count);
    return this.#paces[index];
  }

  /** Does a piece of work on all threads that take part. Throws THREAD_LOST. */
  #perform(work: Work, pace: Pace | number, units = 1): Pick<Piece, "ms" | "lateMs"> {
    const { board, leader, plm, precision } = this.#live();
    return leader.perform({
      pace,
      units,
      post: () => board.write(work, precision),
      perform: () => perform(plm, work, precision),
    });
  }
}
