/** What a program and its model's worker say to each other. Sessions and calls have numbers. */

import type { CheckpointOptions } from "../checkpoint/open-model.js";
import type { ResolvedEvaluation } from "../engine/evaluation.js";
import type { LoadOptions } from "../engine/load.js";
import type { ProfileChoice } from "../engine/profile.js";
import type { Gguf } from "../format/gguf.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import type { Variant } from "../kernels/load.js";
import type { LoadProgress } from "../loading/progress.js";
import type { Phase } from "../model/batch.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import type { SourceOptions } from "../sources/source-options.js";
import type { SentError } from "./sent-error.js";
import type { SentSource } from "./sent-source.js";

/** The options of loading that can be cloned. */
export type SentLoadOptions = Omit<
  LoadOptions & CheckpointOptions,
  "signal" | "onProgress" | keyof SourceOptions
>;

/** An evaluation without what stays with the caller. */
export type SentEvaluation = Pick<ResolvedEvaluation, "kind" | "choice" | "phase" | "step">;

/** The loop of a generation. */
export interface SentLoop {
  readonly prompt: Uint32Array;
  /** Resolved options of generation, without the signal. */
  readonly options: unknown;
  readonly phase: Phase;
}

/** A call that is answered. */
export type Call =
  | { readonly name: "load"; readonly source: SentSource; readonly options: SentLoadOptions }
  | { readonly name: "restore"; readonly session: number; readonly source: SentSource }
  | {
      readonly name: "evaluate";
      readonly session: number;
      readonly tokens: Uint32Array;
      readonly evaluation: SentEvaluation;
    }
  | { readonly name: "generate"; readonly session: number; readonly loop: SentLoop }
  | { readonly name: "saveBytes" | "savePiece"; readonly save: number }
  | { readonly name: "readWeights" | "captureActivations" };

/** What is not answered. */
export type Notice =
  | { readonly name: "create" | "dispose"; readonly session: number }
  | { readonly name: "fork"; readonly session: number; readonly from: number }
  | { readonly name: "truncate"; readonly session: number; readonly length: number }
  | {
      readonly name: "startSave";
      readonly save: number;
      readonly session: number;
      readonly messages: string | undefined;
    }
  | { readonly name: "endSave"; readonly save: number }
  | { readonly name: "end" };

/** To a call that is under way. */
export type Word =
  | { readonly name: "abort" }
  | { readonly name: "stop" }
  /** The caller has taken so many of a loop's pieces. */
  | { readonly name: "taken"; readonly count: number };

/** A message to the worker. */
export type ToWorker =
  | { readonly id: number; readonly call: Call }
  | { readonly notice: Notice }
  | { readonly id: number; readonly word: Word }
  /** The answer to a read of one of the caller's sources. */
  | { readonly read: number; readonly bytes: Uint8Array; readonly size: number | undefined }
  | { readonly read: number; readonly error: SentError };

/** Where a session is after a call. */
export interface SessionState {
  readonly length: number;
  readonly cachedTokens: number;
}

/** What the worker says of its model with every answer. */
export interface ModelState {
  readonly pagesInUse: number;
  readonly sparsity: SparsityCount;
  readonly threads: number;
}

/** The answer to `load`. */
export interface Loaded {
  /** Its header; its sources stay in the worker. */
  readonly gguf: Gguf;
  readonly options: SentLoadOptions;
  /** What a profile chose of the options. */
  readonly choices: readonly ProfileChoice[];
  /** Whether the worker goes on reading the sources. */
  readonly isReading: boolean;
  readonly threadFailure: string | undefined;
  readonly variant: Variant;
  readonly kernelRates: MatmulRates | undefined;
}

/** What a loop has done since its last update. */
export interface LoopUpdate {
  /** Text to show; undefined in the last update, which may be the only one. */
  readonly piece: string | undefined;
  /** Tokens that the session has evaluated. */
  readonly evaluated: readonly number[];
  /** Changes of the record of the generation. */
  readonly record: unknown;
  /** Whether the generation has ended by itself. */
  readonly isLast: boolean;
}

/** A message of the worker. */
export type FromWorker = { readonly state?: ModelState } & (
  | { readonly id: number; readonly result: unknown; readonly session?: SessionState }
  | { readonly id: number; readonly error: SentError; readonly session?: SessionState }
  | { readonly id: number; readonly update: LoopUpdate }
  | { readonly id: number; readonly progress: LoadProgress }
  /** Asks for bytes of one of the caller's sources; they come as an answer to `read`. */
  | {
      readonly read: number;
      /** The call that has the source. */
      readonly call: number;
      readonly source: number;
      readonly offset: number;
      readonly length: number;
    }
);
