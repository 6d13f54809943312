/** The model on all its threads, driven from the caller's thread. */

import { PagePool, type PagesPlan } from "../cache/pages.js";
import type { SnapshotModel } from "../cache/read-snapshot.js";
import { cacheRowBytes } from "../cache/rows.js";
import { CacheSequence } from "../cache/sequence.js";
import { now } from "../clock.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import { Leader } from "../kernels/leader.js";
import type { Variant } from "../kernels/load.js";
import { Pace, type Piece as Timed } from "../kernels/pace.js";
import { release } from "../kernels/released.js";
import type { ThreadStarter } from "../kernels/start-threads.js";
import type { LayerWindow } from "../loading/layer-window.js";
import type { LoadReport } from "../loading/progress.js";
import type { ActivationCapture } from "../model/activations.js";
import { BatchBoard, PHASES } from "../model/batch.js";
import type { PlmConfig } from "../model/config.js";
import { fingerprintOf, type Sample, sampleWeight } from "../model/fingerprint.js";
import type { LayerRun, Receive } from "../model/plm.js";
import type { Precision } from "../model/precision.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import type { Weight } from "../model/weights.js";
import type { ThreadHandle } from "../platform/thread-worker.js";
import { Captures } from "./captures.js";
import { chooseThreads, type ThreadsTiming } from "./choose-threads.js";
import { disposedModel } from "./disposed.js";
import type { Piece } from "./request.js";
import { RequestedOutputs } from "./requested-outputs.js";
import { runsOf, StreamedLayers } from "./streamed-layers.js";
import type { ModelData } from "./thread.js";
import { perform, type ThreadPart, type Work, WorkBoard } from "./work.js";

/** The parts of an engine. */
export interface EngineParts {
  readonly model: ModelData;
  readonly memory: WebAssembly.Memory;
  /** The caller's thread's part. */
  readonly part: ThreadPart;
  /** Brings streamed layers into memory; undefined without any. */
  readonly window: LayerWindow | undefined;
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
  readonly runs: readonly LayerRun[];
  readonly streamed: StreamedLayers | undefined;
}

/** What is run with each number of threads. */
const TIMED_LAYERS = 2;
const TIMING_RUNS = 6;

/** The place of a piece in a batch: decode comes first. */
function rank({ phase }: Piece): number {
  return phase === "decode" ? 0 : 1;
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
  readonly #captures: Captures;
  #fingerprint: string | undefined;
  /** By the logarithm of the tokens at once and their phases: within one, a token costs alike. */
  #paces: Pace[] = [];
  /** The number of threads that a pace begins with. */
  #count: number;

  constructor(parts: EngineParts) {
    const { memory, model, part, threads, variant } = parts;
    const { choice, weights, meeting } = model;
    const batch = new BatchBoard(memory, model.batch);
    const board = new WorkBoard(memory, meeting.work, batch);
    const leader = new Leader(part.plm.member, threads);
    this.#pages = new PagePool(memory, parts.pages, () => this.expectUsable());
    const streamed = parts.window && this.#streamedOf(parts, parts.window);
    this.#parts = { ...parts, batch, board, leader, streamed, runs: runsOf(weights) };
    this.config = model.config;
    this.#captures = new Captures(model.config);
    this.variant = variant;
    this.kernelRates = choice.rates[weights.layers[0].upProj.type];
    this.sparsity = part.plm.sparsity;
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
   * requested of them; resolves to the milliseconds that took. The rows are in the cache then,
   * behind those that the sequences have. Without streamed layers it never waits; with them it ends
   * early once no piece is wanted, and resolves to undefined. One call at a time. Rejects with
   * DISPOSED, THREAD_LOST, and what reading a streamed layer throws.
   */
  async evaluate(pieces: readonly Piece[]): Promise<number | undefined> {
    const { batch, memory, part, runs, streamed } = this.#live();
    const startMs = now();
    const ordered = [...pieces].sort((a, b) => rank(a) - rank(b));
    const n = pieces.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const requested = new RequestedOutputs(ordered);
    const receive = requested.receiveFrom(memory);
    const written = batch.write(ordered, requested.outputs);
    const pace = this.#paceOf(n, rank(ordered[ordered.length - 1]));
    const { count } = pace;
    const isWanted = (): boolean => pieces.some((piece) => piece.isWanted());
    const recorder = ordered[0].phase === "decode" ? this.#captures.begin() : undefined;
    part.plm.recorder = recorder;
    let [ms, lateMs] = [0, 0];
    for (const run of runs) {
      if (streamed?.has(run.first)) await streamed.bring(run.first, count, isWanted);
      if (!isWanted()) return undefined;
      const timed = this.#perform({ kind: "evaluate", batch: written, ...run }, count, receive);
      ms += timed.ms;
      lateMs += timed.lateMs;
    }
    if (recorder !== undefined) this.#captures.resolve(recorder);
    pace.done({ ms, lateMs, units: n });
    return now() - startMs;
  }

  /**
   * Throws THREAD_LOST while a lost thread may still read the batch and write to pages, which must
   * stay as they are until it has ended. Throws DISPOSED.
   */
  expectUsable(): void {
    this.#live().leader.expectUsable();
  }

  /** The activations of the next token that is decoded. Rejects with DISPOSED, and on an abort. */
  async captureActivations(signal: AbortSignal | undefined): Promise<ActivationCapture> {
    this.#live();
    return this.#captures.next(signal);
  }

  /** The model as saved sessions name it. Throws DISPOSED. */
  get snapshotModel(): Omit<SnapshotModel, "contextLength"> {
    const { model, memory, streamed } = this.#live();
    const { config, weights, cacheType, reading } = model;
    const sampleOf = (weight: Weight): Sample =>
      streamed?.sampleOf(weight) ?? sampleWeight(weight, memory, reading);
    const fingerprint = this.#fingerprint ?? fingerprintOf(config, weights, sampleOf);
    this.#fingerprint = fingerprint;
    return {
      ...{ fingerprint, cacheType, rowBytes: cacheRowBytes(cacheType, config) },
      ...{ layers: config.numHiddenLayers, vocabSize: config.vocabSize },
    };
  }

  /**
   * Packs the keys that decoding absorbs of all layers in memory, and brings each streamed layer
   * once. To be called once, after the weights are read. Throws what reading them throws.
   */
  async finishLoading(report: LoadReport, signal?: AbortSignal): Promise<void> {
    const { streamed, runs } = this.#live();
    for (const { first, end } of runs) {
      const kept = streamed?.has(first) ? first + 1 : first;
      if (kept < end) this.#perform({ kind: "packKeys", first: kept, end }, this.threads);
    }
    await streamed?.bringAll(this.threads, report, signal);
  }

  /** Takes over sources if layers are streamed from them; `close` is called in the end. */
  takeSources(close: () => unknown): boolean {
    const { window } = this.#live();
    window?.closeWith(close);
    return window !== undefined;
  }

  /** Reads all weights in memory once on all threads, for timing. */
  readWeights(): void {
    this.#perform({ kind: "read" }, this.threads);
  }

  /** Sets the fastest number of threads up to `most`. To be called before any session evaluates. */
  async chooseThreads(most: number, starter: Pick<ThreadStarter, "start">): Promise<void> {
    const { leader } = this.#live();
    const time = (count: number): ThreadsTiming => this.#timeLayers(count);
    this.#count = await chooseThreads(leader, time, most, starter);
    this.#paces = [];
    this.sparsity.activations = 0;
    this.sparsity.nonZero = 0;
  }

  /** Ends the other threads and drops the references to the memory. */
  dispose(): void {
    if (this.#parts === undefined) return;
    this.#captures.end(disposedModel());
    this.#parts.leader.keep(1);
    this.#parts.window?.close();
    this.#pages.dispose();
    release(this.#parts.memory);
    this.#parts = undefined;
  }

  #live(): LiveParts {
    if (this.#parts !== undefined) return this.#parts;
    throw disposedModel();
  }

  /** The parts of streamed layers. */
  #streamedOf({ model, memory }: EngineParts, window: LayerWindow): StreamedLayers {
    const { weights, reading } = model;
    const sample = (weight: Weight): Sample => sampleWeight(weight, memory, reading);
    const perform = (work: Work, threads: number): unknown => this.#perform(work, threads);
    return new StreamedLayers({ window, weights, perform, sample });
  }

  /** Times some layers on `count` threads: the best run, and the share of lateness. */
  #timeLayers(count: number): ThreadsTiming {
    const sequence = this.createSequence();
    sequence.reserve(1);
    const next = { tokens: [0], sequence, phase: "decode", form: "absorbed" } as const;
    const batch = this.#live().batch.write([next], []);
    const work = { kind: "evaluate", batch, ...this.#timedRun() } as const;
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

  /** Layers that are in memory. */
  #timedRun(): LayerRun {
    const { runs, streamed } = this.#live();
    const first = streamed?.layer ?? 0;
    const { end } = runs.find((run) => run.first === first)!;
    return { first, end: Math.min(end, first + TIMED_LAYERS) };
  }

  /** The pace of passes over `n` tokens, whose last are in a phase of that rank. */
  #paceOf(n: number, phase: number): Pace {
    const index = Math.ceil(Math.log2(n)) * PHASES.length + phase;
    this.#paces[index] ??= new Pace(this.threads, this.#count);
    return this.#paces[index];
  }

  /** Performs a piece of work on all threads that take part. Throws THREAD_LOST. */
  #perform(work: Work, threads: number, receive?: Receive): Pick<Timed, "ms" | "lateMs"> {
    const { board, leader, part, precision } = this.#live();
    return leader.perform({
      pace: threads,
      units: 1,
      post: () => board.write(work, precision),
      perform: () => perform(part, work, precision, receive),
    });
  }
}
