/** Allocates a model's memory once, as planned, and reads the weights into it. */
import platform from "#platform";
import { checkOptions, checkSignal } from "../brands.js";
import { PrefixTree } from "../cache/prefix-tree.js";
import type { CacheSequence } from "../cache/sequence.js";
import { PlmError } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import { chooseKernels, type MatmulRates, presumeKernels } from "../kernels/choose-kernels.js";
import {
  isModule,
  type KernelsBinary,
  loadKernels,
  VARIANTS,
  type Variant,
} from "../kernels/load.js";
import { collectReleased, release } from "../kernels/released.js";
import { requireWasm } from "../kernels/require-wasm.js";
import { ThreadStarter, threadObstacle } from "../kernels/start-threads.js";
import { LayerWindow } from "../loading/layer-window.js";
import { type LoadProgress, LoadReport } from "../loading/progress.js";
import { readWeights } from "../loading/read-weights.js";
import type { ActivationCapture } from "../model/activations.js";
import type { PlmConfig } from "../model/config.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import { fillRopeTable } from "../model/rope-table.js";
import { eachResident, eachWeight, packedTotal, tensorBytes } from "../model/weights.js";
import type { ThreadHandle } from "../platform/thread-worker.js";
import { checkScript, type ThreadScript } from "../platform/thread-worker.js";
import { closeSources, type ModelSource, openSources } from "../sources/source.js";
import type { SourceOptions } from "../sources/source-options.js";
import { disposedModel } from "./disposed.js";
import { disposedOf, endWhenDropped } from "./dropped.js";
import { Engine } from "./engine.js";
import { History } from "./history.js";
import type { CaptureOptions, LoadedModel, RestoreOptions } from "./loaded-model.js";
import { LocalSession } from "./local-session.js";
import { checkChoice, excessOfThreads, type ModelOptions } from "./options.js";
import { type ModelPlan, planModel } from "./plan.js";
import { restoreSequence } from "./restore.js";
import { CacheRoom } from "./room.js";
import { Sequence } from "./sequence.js";
import type { Session } from "./session.js";
import { checkRereadable } from "./streamed-layers.js";
import { createThreadPart, stagingOf, type ThreadStart, windowStagingOf } from "./thread.js";
import { Turns } from "./turns.js";

export { type KernelsBinary, VARIANTS, type Variant };

/** What a thread beyond the fourth must have to load. */
const BYTES_TO_LOAD = 128 << 20;

/**
 * Threads that load the model. Where their number is left to the package, more start only if they
 * turn out to pay: a runtime may claim any number of processors, and each thread takes some 20 ms
 * of one to start.
 */
function firstThreads({ memory, options }: ModelPlan, { threads }: LoadOptions): number {
  if (threads !== undefined) return options.threads;
  const worthwhile = Math.ceil(memory.bytes("weights") / BYTES_TO_LOAD);
  return Math.min(options.threads, Math.max(4, Math.min(worthwhile, 16)));
}

/** What is only needed while loading. */
export interface LoadOptions extends ModelOptions, SourceOptions {
  /** The kernels, where the runtime cannot compile the package's own copy (Workers). */
  wasm?: KernelsBinary;
  /** Which of the package's kernels to use; default: relaxed where this runtime has it right. */
  variant?: Variant;
  /**
   * Where the threads' script is, for a bundler that leaves it out: the path or URL of what
   * `plm-wasm/thread` was built to, or a function that returns a worker which runs it
   * (docs/bundlers.md). Default: the package's own file.
   */
  threadScript?: ThreadScript;
  signal?: AbortSignal;
  onProgress?: (progress: LoadProgress) => void;
}

/** A model whose weights are in memory: it makes sessions. */
export class LoadedPlm implements LoadedModel {
  readonly plan: ModelPlan;
  readonly threadFailure: Error | undefined;
  readonly #engine: Engine;
  readonly #room: CacheRoom;
  readonly #turns: Turns;

  constructor(plan: ModelPlan, engine: Engine, threadFailure?: Error) {
    const { prefixCache } = plan.options;
    const { pages } = engine;
    const tree = prefixCache ? new PrefixTree(pages) : undefined;
    this.plan = plan;
    this.threadFailure = threadFailure;
    this.#engine = engine;
    this.#room = new CacheRoom(pages, tree);
    this.#turns = new Turns(engine, this.#room, plan.options);
  }

  get config(): PlmConfig {
    return this.plan.config;
  }

  get sparsity(): SparsityCount {
    return { ...this.#engine.sparsity };
  }

  get threads(): number {
    return this.#engine.threads;
  }

  get variant(): Variant {
    return this.#engine.variant;
  }

  get kernelRates(): MatmulRates | undefined {
    return this.#engine.kernelRates;
  }

  async readWeights(): Promise<number> {
    this.#engine.readWeights();
    return packedTotal(eachResident(this.plan.weights));
  }

  async captureActivations(options: CaptureOptions = {}): Promise<ActivationCapture> {
    checkOptions(options);
    return this.#engine.captureActivations(checkSignal(options.signal));
  }

  /**
   * Takes over sources that are still read, if layers are streamed: `close` is called in the end.
   * Returns whether it did.
   */
  takeSources(close: () => unknown): boolean {
    return this.#engine.takeSources(close);
  }

  get pagesInUse(): number {
    return this.#engine.pages.used;
  }

  createSession(): Session {
    this.#checkLive();
    return this.createSessionUnchecked();
  }

  createSessionUnchecked(): Session {
    return this.#sessionOf(new Sequence(this.#engine.createSequence()));
  }

  async restoreSession(
    source: ModelSource,
    options: RestoreOptions = {},
  ): Promise<{ session: Session; messages: string | undefined }> {
    this.#engine.expectUsable();
    const signal = checkSignal(options.signal);
    const sources = await openSources(source, signal, options);
    try {
      if (sources.length !== 1) {
        const message = `source: expected one file, got ${sources.length}`;
        throw new PlmError("INVALID_ARGUMENT", message, { argument: "source" });
      }
      const { contextLength } = this.plan.options;
      const model = { ...this.#engine.snapshotModel, contextLength };
      const empty = this.#engine.createSequence();
      const reserve = async (to: CacheSequence, rows: number): Promise<void> => {
        await this.#turns.whenIdle();
        this.#room.makeRoom(to.needed(rows));
        to.reserve(rows);
      };
      const restored = await restoreSequence(sources[0], model, empty, reserve, signal);
      const { sequence, tokens, messages } = restored;
      if (this.#engine.isDisposed) sequence.dispose();
      this.#checkLive();
      const session = this.#sessionOf(new Sequence(sequence, new History(tokens)));
      return { session, messages };
    } finally {
      await closeSources(sources);
    }
  }

  #sessionOf(sequence: Sequence): Session {
    const { contextLength, batchSize, attention } = this.plan.options;
    const choice = { attention, config: this.config };
    const limits = { config: this.config, contextLength, batchSize };
    const parts = { engine: this.#engine, turns: this.#turns, room: this.#room, choice };
    return new LocalSession({ ...limits, ...parts }, sequence);
  }

  #checkLive(): void {
    if (this.#engine.isDisposed) throw disposedModel();
  }

  dispose(): void {
    disposedOf(this.#engine);
    this.#engine.dispose();
    this.#turns.cancel(() => true, disposedModel());
  }
}

/** Why fewer threads can compute than were asked for or than would pay. */
function obstacleOf({ isSmall }: ModelPlan, options: LoadOptions): Error | undefined {
  const { threads, wasm: binary } = options;
  if ((threads ?? (isSmall ? 1 : platform.parallelism())) <= 1) return undefined;
  const obstacle = threadObstacle();
  if (obstacle !== undefined) return obstacle;
  if (isModule(binary)) return new Error("a compiled module imports a memory that is not shared");
  return excessOfThreads(threads);
}

/**
 * Loads the model of an opened file. `meanwhile` runs as soon as the runtime compiles the kernels,
 * which it does elsewhere. Throws what planModel, `meanwhile` and readWeights throw.
 */
export async function loadPlm(
  gguf: Gguf,
  options: LoadOptions = {},
  meanwhile: () => void = () => undefined,
): Promise<LoadedPlm> {
  requireWasm();
  const { wasm: binary, variant } = options;
  const signal = checkSignal(options.signal);
  if (variant !== undefined) checkChoice("variant", variant, VARIANTS);
  checkScript("threadScript", options.threadScript);
  const plan = planModel(gguf, options);
  const { config, weights, buffers, meeting, pages, batch, windowPtr } = plan;
  if (weights.streamed.length > 0) checkRereadable(gguf.sources);
  const report = new LoadReport(tensorBytes(eachWeight(weights)), options.onProgress);
  const { threads, precision, contextLength, cacheType } = plan.options;
  const isShared = threads > 1 && !isModule(binary);
  if (isShared) await collectReleased();
  const memory = plan.memory.allocate(isShared);
  let starter: ThreadStarter | undefined;
  let starting: Promise<readonly ThreadHandle[]> | undefined;
  try {
    const compiled = loadKernels(memory, { binary, variant });
    compiled.catch(() => undefined);
    meanwhile();
    const { kernels, module, reading, variant: loaded } = await compiled;
    const types = new Set(Array.from(eachWeight(weights), ({ type }) => type));
    types.add("Q8"); // what absorbed keys are multiplied as
    const choice = plan.isSmall
      ? presumeKernels(kernels, types)
      : chooseKernels(kernels, memory, buffers.x, types);
    const data = { config, weights, buffers, meeting, batch, windowPtr };
    const model = { ...data, choice, cacheType, reading };
    starter = new ThreadStarter({
      memory,
      teamPtr: meeting.team,
      startThread: (index) => {
        const start: ThreadStart = { module, memory, model, index };
        return platform.startThread(start, options.threadScript);
      },
    });
    // Never rejects; what is read meanwhile they help to pack.
    starting = starter.start(isShared ? firstThreads(plan, options) - 1 : 0);
    const helpers = starting.then((started) => started.length);
    const target = { kernels, memory, ...stagingOf(plan), helpers };
    await readWeights(gguf, weights, target, { report, signal });
    fillRopeTable(memory, buffers.ropeTable, config, contextLength);
    const part = createThreadPart(model, kernels, memory, {
      index: 0,
      maySleep: platform.maySleep(),
    });
    const { packer } = part;
    const window =
      packer && new LayerWindow({ gguf, memory, packer, staging: windowStagingOf(model) });
    const shared = { model, memory, part, pages, window, threads: await starting };
    const engine = new Engine({ ...shared, precision, variant: loaded });
    await engine.finishLoading(report, signal);
    if (options.threads === undefined && engine.threads > 1) {
      await engine.chooseThreads(threads, starter);
    }
    signal?.throwIfAborted();
    const end = starter.end.bind(starter);
    endWhenDropped(engine, () => {
      end();
      window?.close();
      release(memory);
    });
    return new LoadedPlm(plan, engine, starter.failure ?? obstacleOf(plan, options));
  } catch (error) {
    void starting?.then(() => starter?.end());
    release(memory);
    throw error;
  }
}
