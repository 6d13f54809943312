/** A model in memory as its users reach it, wherever its engine runs. */

import type { MatmulRates } from "../kernels/choose-kernels.js";
import type { Variant } from "../kernels/load.js";
import type { ActivationCapture } from "../model/activations.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import type { HttpOptions } from "../sources/http-client.js";
import type { ModelSource } from "../sources/source.js";
import type { ModelPlan } from "./plan.js";
import type { Session } from "./session.js";

/** Options of `restoreSession`. */
export interface RestoreOptions extends HttpOptions {
  signal?: AbortSignal;
}

/** Options of `captureActivations`. */
export interface CaptureOptions {
  signal?: AbortSignal;
}

export interface LoadedModel {
  readonly plan: ModelPlan;
  /** Threads that take part at most, the caller's or the worker's among them. */
  readonly threads: number;
  /** Why fewer threads take part than were asked for, or than there are processors. */
  readonly threadFailure: Error | undefined;
  /** The kernels that it computes with. */
  readonly variant: Variant;
  /** What one thread's products of many tokens reached while loading; undefined where not timed. */
  readonly kernelRates: MatmulRates | undefined;
  /** Pages of the cache that sessions hold, of `plan.pages.count`. */
  readonly pagesInUse: number;
  /** How many squared-ReLU activations there were so far, and how many were not zero; a copy. */
  readonly sparsity: SparsityCount;

  /**
   * Reads all weights once, front to back, on all threads; resolves to the bytes read. For benches
   * to compare decoding with.
   */
  readWeights(): Promise<number>;

  /** The activations of the next token that is decoded, of whichever sequence. */
  captureActivations(options?: CaptureOptions): Promise<ActivationCapture>;

  /** An empty session. Throws DISPOSED. */
  createSession(): Session;

  /** As createSession; of a model that was disposed of, one that throws when it evaluates. */
  createSessionUnchecked(): Session;

  /** The session that was saved, and the messages of its conversation if it had one. */
  restoreSession(
    source: ModelSource,
    options?: RestoreOptions,
  ): Promise<{ session: Session; messages: string | undefined }>;

  /** Ends every thread and session; the memory is freed with the last reference to it. */
  dispose(): void;
}
