/** The model on all its threads, as the thread of the caller drives it. */
import type { Variant } from "../kernels/load.js";
import { now } from "../platform/clock.js";
import type { ThreadHandle } from "../platform/platform.js";
import { type AttentionForm, chooseAttention } from "./attention-form.js";
import type { LatentCache } from "./cache.js";
import type { MatmulRates } from "./choose-kernels.js";
import type { Plm, SparsityCount } from "./plm.js";
import type { Precision } from "./precision.js";
import type { ModelData } from "./thread.js";
import { outputStride } from "./weights.js";
import { perform, type Work, WorkBoard } from "./work.js";

/** What an engine is made of. */
export interface EngineParts {
  readonly model: ModelData;
  readonly memory: WebAssembly.Memory;
  readonly plm: Plm;
  readonly caches: readonly LatentCache[];
  /** The threads beside the caller's; they are ready. */
  readonly threads: readonly ThreadHandle[];
  /** Why there are none beside the caller's where there should be. */
  readonly failure?: Error;
  readonly precision: Precision;
  readonly variant: Variant;
}

/** What chooseThreads runs with each count, and how much slower than the best may stay. */
const TIMED_LAYERS = 2;
const TIMING_RUNS = 6;
const NEARLY_BEST = 1.05;

export class Engine {
  readonly #parts: EngineParts;
  readonly #board: WorkBoard;
  #threads: number;
  /** What ended a piece of work before all threads had done it. */
  #failure: unknown;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#board = new WorkBoard(parts.memory, parts.model.buffers.work, parts.caches);
    this.#threads = parts.threads.length + 1;
  }

  /** Threads that compute, the caller's among them. */
  get threads(): number {
    return this.#threads;
  }

  /** Why there is one thread where more were to start; undefined where they did. */
  get threadFailure(): Error | undefined {
    return this.#parts.failure;
  }

  /** The kernels that it computes with. */
  get variant(): Variant {
    return this.#parts.variant;
  }

  /** What one thread's products of many tokens reached while loading, for ffn_up's type. */
  get kernelRates(): MatmulRates | undefined {
    const { choice, weights } = this.#parts.model;
    return choice.rates[weights.layers[0].upProj.type];
  }

  /** How many squared-ReLU activations there were so far, and how many were not zero. */
  get sparsity(): SparsityCount {
    return this.#parts.plm.sparsity;
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
    const { config, buffers } = this.#parts.model;
    const n = tokens.length;
    new Uint32Array(this.#parts.memory.buffer, buffers.tokens, n).set(tokens);
    const chosen = chooseAttention(form, config, n, position);
    const span = { n, position, cache, form: chosen };
    this.#perform({ kind: "forward", span, layers: config.numHiddenLayers });
  }

  /**
   * Writes the logits of some of the tokens that forward ran, from the `first` on, to `out`:
   * f32[count, vocabSize], count at most LOGITS_ROWS.
   */
  logits(first: number, out: Float32Array): void {
    const { config, weights, buffers } = this.#parts.model;
    const { vocabSize } = config;
    const count = out.length / vocabSize;
    this.#perform({ kind: "logits", first, count });
    const stride = outputStride(weights.lmHead);
    for (let i = 0; i < count; i++) {
      const at = buffers.logits + i * stride * 4;
      out.set(new Float32Array(this.#parts.memory.buffer, at, vocabSize), i * vocabSize);
    }
  }

  /** Packs the keys that decoding absorbs; to be called once, when the weights are in memory. */
  packKeys(): void {
    this.#perform({ kind: "packKeys" });
  }

  /** Reads all weights once, all threads together, and does nothing with them. */
  readWeights(): void {
    this.#perform({ kind: "read" });
  }

  /**
   * Goes on with as many threads as are fastest, found by timing layers with 1, 2, 4 and so on of
   * them, and ends the others. To be called while no session has evaluated anything.
   */
  chooseThreads(): void {
    const { caches, threads, memory, model } = this.#parts;
    if (this.#threads === 1) return;
    // Where tokens are, loading left anything.
    new Uint32Array(memory.buffer, model.buffers.tokens, 1)[0] = 0;
    const span = { n: 1, position: 0, cache: caches[0], form: "absorbed" } as const;
    const counts = [this.#threads];
    for (let count = 1; count < this.#threads; count *= 2) counts.push(count);
    const times = counts.map((count) => {
      let best = Infinity;
      for (let run = 0; run < TIMING_RUNS; run++) {
        const startMs = now();
        this.#perform({ kind: "forward", span, layers: TIMED_LAYERS }, count);
        best = Math.min(best, now() - startMs);
      }
      return best;
    });
    const best = Math.min(...times);
    const good = counts.filter((_, i) => times[i] <= best * NEARLY_BEST);
    this.#threads = Math.min(...good);
    for (const thread of threads.slice(this.#threads - 1)) thread.end();
    this.sparsity.activations = 0;
    this.sparsity.nonZero = 0;
  }

  /** Ends the other threads. */
  dispose(): void {
    for (const thread of this.#parts.threads) thread.end();
    this.#threads = 1;
  }

  /**
   * Work for the first `threads` of them. Throws THREAD_LOST; from then on always, for threads that
   * do not agree where they are would compute something else.
   */
  #perform(work: Work, threads = this.#threads): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { plm, precision } = this.#parts;
    const terms = { threads, precision };
    if (threads > 1) {
      this.#board.write(plm.member.announced + 1, work, terms);
      plm.member.announce();
    }
    try {
      perform(plm, work, terms);
    } catch (error) {
      if (threads > 1) this.#failure = error;
      for (const thread of this.#parts.threads) thread.end();
      throw error;
    }
  }
}
