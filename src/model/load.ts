/** Plans a model's memory from its header, allocates it once, and reads the weights into it. */
import platform from "#platform";
import { PlmError } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import { MAX_MEMORY_BYTES, MemoryPlan } from "../kernels/arena.js";
import { type KernelsBinary, loadKernels, VARIANTS, type Variant } from "../kernels/load.js";
import { ATTENTION_FORMS, type AttentionForm } from "./attention-form.js";
import { type Buffers, layoutBuffers } from "./buffers.js";
import { CACHE_TYPES, type CacheType, LatentCache } from "./cache.js";
import { chooseKernels, type MatmulRates, TIMING_BYTES } from "./choose-kernels.js";
import { type PlmConfig, parseConfig } from "./config.js";
import { Engine } from "./engine.js";
import type { SparsityCount } from "./plm.js";
import { PRECISIONS, type Precision } from "./precision.js";
import { type LoadProgress, readScratchBytes, readWeights } from "./read-weights.js";
import { fillRopeTable } from "./rope-table.js";
import { Session } from "./session.js";
import { startThreads } from "./start-threads.js";
import { createPlm } from "./thread.js";
import { bindWeights, eachWeight, type PlmWeights, weightBytes } from "./weights.js";

export { type KernelsBinary, VARIANTS, type Variant };

/** How a model is laid out in memory. */
export interface ModelOptions {
  /** Most tokens of a sequence; default, and at most, the file's context length. */
  contextLength?: number;
  /** How cached numbers are held; default "i16". */
  cacheType?: CacheType;
  /** How attention is computed; default "auto". */
  attention?: AttentionForm;
  /**
   * Most tokens that prefill takes at once; default 512. Between batches the event loop has its
   * turn and aborts are noticed.
   */
  batchSize?: number;
  /** Sessions that may be alive at once, each with its cache; default 1. */
  sessions?: number;
  /**
   * Threads that compute, the caller's among them, 1 to 64; default: what is fastest here, found by
   * timing. Where threads cannot share memory, do not start or do not answer in 10 seconds, there
   * is one: `model.threads` tells, and `model.threadFailure` why.
   */
  threads?: number;
  /** Bits of activations where several tokens are computed at once; default "balanced". */
  precision?: Precision;
  /** Refuse a plan over this many bytes; default, and at most, 4 GiB. */
  memoryLimitBytes?: number;
}

/** What is only needed while loading. */
export interface LoadOptions extends ModelOptions {
  /** The kernels, where the runtime cannot compile the package's own copy (Workers). */
  wasm?: KernelsBinary;
  /** Which of the package's kernels to use; default: relaxed where this runtime has it right. */
  variant?: Variant;
  signal?: AbortSignal;
  onProgress?: (progress: LoadProgress) => void;
}

/** A model's places in memory, before there is one. */
export interface ModelPlan {
  readonly config: PlmConfig;
  readonly weights: PlmWeights;
  readonly caches: readonly LatentCache[];
  readonly buffers: Buffers;
  readonly memory: MemoryPlan;
  readonly options: Required<ModelOptions>;
}

/** More threads than this are refused. */
const MOST_THREADS = 64;

function checkRange(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new PlmError(
    "INVALID_ARGUMENT",
    `${name}: expected an integer from ${low} to ${high}, got ${value}`,
  );
}

/** Threads to plan for. */
function plannedThreads(asked: number | undefined): number {
  const most = Math.min(Math.max(platform.parallelism(), 1), MOST_THREADS);
  const threads = checkRange("threads", asked ?? most, 1, MOST_THREADS);
  return platform.hasThreads() ? threads : 1;
}

function checkLimit(limitBytes: number): number {
  if (typeof limitBytes === "number" && limitBytes > 0) return limitBytes;
  throw new PlmError(
    "INVALID_ARGUMENT",
    `memoryLimitBytes: expected a positive number, got ${limitBytes}`,
  );
}

function checkChoice<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw new PlmError(
    "INVALID_ARGUMENT",
    `${name}: expected ${choices.join(", ")}, got ${String(value)}`,
  );
}

function checkOptions(options: ModelOptions, config: PlmConfig): Required<ModelOptions> {
  const contextLength = checkRange(
    "contextLength",
    options.contextLength ?? config.maxPositionEmbeddings,
    1,
    config.maxPositionEmbeddings,
  );
  const cacheType = checkChoice("cacheType", options.cacheType ?? "i16", CACHE_TYPES);
  if (cacheType === "q8_0" && config.qkRopeHeadDim % 32 > 0) {
    throw new PlmError(
      "INVALID_ARGUMENT",
      `cacheType: q8_0 expects rope dims in multiples of 32, got ${config.qkRopeHeadDim}`,
    );
  }
  return {
    contextLength,
    cacheType,
    attention: checkChoice("attention", options.attention ?? "auto", ATTENTION_FORMS),
    batchSize: Math.min(
      contextLength,
      checkRange("batchSize", options.batchSize ?? 512, 1, 1 << 16),
    ),
    sessions: checkRange("sessions", options.sessions ?? 1, 1, 1 << 16),
    threads: plannedThreads(options.threads),
    precision: checkChoice("precision", options.precision ?? "balanced", PRECISIONS),
    memoryLimitBytes: checkLimit(options.memoryLimitBytes ?? MAX_MEMORY_BYTES),
  };
}

/**
 * The plan of a model, from its header alone. Throws what parseConfig and bindWeights throw,
 * INVALID_ARGUMENT for an option out of range, OUT_OF_MEMORY for a plan over the limit.
 */
export function planModel(gguf: Gguf, options: ModelOptions = {}): ModelPlan {
  const config = parseConfig(gguf.metadata);
  const checked = checkOptions(options, config);
  const memory = new MemoryPlan();
  const weights = bindWeights(gguf, config, memory);
  const { contextLength, cacheType, batchSize } = checked;
  const cacheBytes = new MemoryPlan();
  LatentCache.plan(cacheBytes, cacheType, config, contextLength);
  cacheBytes.check(checked.memoryLimitBytes);
  const caches = Array.from({ length: checked.sessions }, () =>
    LatentCache.plan(memory, cacheType, config, contextLength),
  );
  // A header may claim any size: what would not fit is refused before its chunks are counted.
  memory.check(checked.memoryLimitBytes);
  const sizes = { batchSize, contextLength, threads: checked.threads };
  const layout = layoutBuffers(config, sizes, 0);
  const stagingBytes = readScratchBytes(weights, checked.threads);
  const scratchBytes = Math.max(layout.bytes, layout.x + Math.max(stagingBytes, TIMING_BYTES));
  const scratchPtr = memory.add("scratch", "activations, staging while loading", scratchBytes);
  const buffers = layoutBuffers(config, sizes, scratchPtr);
  memory.check(checked.memoryLimitBytes);
  return { config, weights, caches, buffers, memory, options: checked };
}

/** A model whose weights are in memory: it makes sessions. */
export class LoadedPlm {
  readonly plan: ModelPlan;
  readonly #engine: Engine;
  readonly #free: LatentCache[];
  readonly #sessions = new Set<Session>();
  #disposed = false;

  constructor(plan: ModelPlan, engine: Engine) {
    this.plan = plan;
    this.#engine = engine;
    this.#free = [...plan.caches];
  }

  get config(): PlmConfig {
    return this.plan.config;
  }

  /** How many squared-ReLU activations there were so far, and how many were not zero; a copy. */
  get sparsity(): SparsityCount {
    return { ...this.#engine.sparsity };
  }

  /**
   * Share of squared-ReLU activations that were zero so far, 0 to 1; NaN before the first token.
   */
  get zeroShare(): number {
    const { activations, nonZero } = this.#engine.sparsity;
    return 1 - nonZero / activations;
  }

  /** Threads that compute, the caller's among them. */
  get threads(): number {
    return this.#engine.threads;
  }

  /** Why there is one thread where more were to start; undefined where they did. */
  get threadFailure(): Error | undefined {
    return this.#engine.threadFailure;
  }

  /** The kernels that it computes with. */
  get variant(): Variant {
    return this.#engine.variant;
  }

  /** What one thread's products of many tokens reached while loading; undefined where not timed. */
  get kernelRates(): MatmulRates | undefined {
    return this.#engine.kernelRates;
  }

  /**
   * Reads all weights once, front to back, on all threads; the bytes read. For benches to compare
   * decoding with.
   */
  readWeights(): number {
    this.#engine.readWeights();
    let total = 0;
    for (const weight of eachWeight(this.plan.weights)) total += weightBytes(weight);
    return total;
  }

  /** An empty session on one of the planned caches. Throws SESSION_LIMIT or DISPOSED. */
  createSession(): Session {
    if (this.#disposed) {
      throw new PlmError("DISPOSED", "model: expected a live model, got a disposed one");
    }
    const cache = this.#free.pop();
    const { options } = this.plan;
    if (cache === undefined) {
      throw new PlmError(
        "SESSION_LIMIT",
        `model: expected at most ${options.sessions} sessions at once, got one more; ` +
          "dispose of one, or load with a larger `sessions`",
      );
    }
    const session: Session = new Session({
      engine: this.#engine,
      vocabSize: this.config.vocabSize,
      cache,
      batchSize: options.batchSize,
      attention: options.attention,
      release: () => {
        this.#sessions.delete(session);
        this.#free.push(cache);
      },
    });
    this.#sessions.add(session);
    return session;
  }

  /** Ends every session and thread; the memory goes when the last reference does. */
  dispose(): void {
    this.#disposed = true;
    this.#engine.dispose();
    for (const session of this.#sessions) session.dispose();
  }
}

/** Loads the model of an opened file. Throws what planModel and readWeights throw. */
export async function loadPlm(gguf: Gguf, options: LoadOptions = {}): Promise<LoadedPlm> {
  const { wasm: binary, variant } = options;
  if (variant !== undefined) checkChoice("variant", variant, VARIANTS);
  const plan = planModel(gguf, options);
  const { config, weights, buffers, caches } = plan;
  const { threads, precision, contextLength, cacheType } = plan.options;
  // A module that the caller compiled imports a memory that is not shared.
  const isShared = threads > 1 && !(binary instanceof WebAssembly.Module);
  const memory = plan.memory.allocate(isShared);
  const { kernels, module, variant: loaded } = await loadKernels(memory, { binary, variant });
  const cachePtrs = caches.map(({ ptr }) => ptr);
  const types = new Set(Array.from(eachWeight(weights), ({ type }) => type));
  types.add("Q8"); // what absorbed keys are multiplied as
  const choice = chooseKernels(kernels, memory, buffers.x, types);
  const model = { config, weights, buffers, cachePtrs, cacheType, contextLength, choice };
  // Never rejects; what is read meanwhile they help to pack.
  const starting = startThreads(isShared ? threads - 1 : 0, { module, memory, model });
  try {
    const helpers = starting.then((started) => started.threads.length);
    await readWeights(gguf, weights, { kernels, memory, buffers, helpers }, options);
    const started = await starting;
    fillRopeTable(memory, buffers.ropeTable, config, contextLength);
    const plm = createPlm(model, kernels, memory, { index: 0, maySleep: platform.maySleep() });
    const parts = { model, memory, plm, caches, ...started, precision, variant: loaded };
    const engine = new Engine(parts);
    engine.packKeys();
    if (options.threads === undefined) engine.chooseThreads();
    options.signal?.throwIfAborted();
    return new LoadedPlm(plan, engine);
  } catch (error) {
    void starting.then((started) => {
      for (const thread of started.threads) thread.end();
    });
    throw error;
  }
}
