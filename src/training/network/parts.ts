/** The parts of one thread of a training run. */
import type { Member } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import type { TrainingBuffers, TrainingSizes } from "../engine/buffers.js";
import type { TrainingKernels } from "../engine/kernels.js";
import type { Parameters } from "./parameters.js";

/** An architecture's names, besides those that every block has. */
export interface Names {
  /** Names of a layer's tensors, of the buffers that forward keeps, and of gradients. */
  readonly tensor: string;
  readonly kept: string;
  readonly grad: string;
}

/** The names of any architecture. */
interface NoNames {
  readonly tensor: never;
  readonly kept: never;
  readonly grad: never;
}

/** One thread's config, kernels, memory and buffers. */
export interface TrainingParts<Own extends Names = NoNames> {
  readonly config: PlmConfig;
  readonly sizes: TrainingSizes;
  readonly parameters: Parameters<Own["tensor"]>;
  readonly buffers: TrainingBuffers<Own["kept"], Own["grad"]>;
  readonly kernels: TrainingKernels;
  readonly memory: WebAssembly.Memory;
  readonly member: Member;
  /** structs (structs.ts), and scratch, of this thread alone */
  readonly structsPtr: number;
  readonly scratchPtr: number;
}

/** Index in `work`, after the work itself, of the key of a batch's dropout. */
export const DROPOUT_KEY = 1;

/** Indices in `hyper`, after adamw's 8 floats, of other numbers. */
export const GRADIENT_SCALE = 8;
export const CLIP = 9;
/** The norm of the gradients before clipping, written by the caller's thread. */
export const GRADIENT_NORM = 10;
/** The share that dropout zeroes; 0 outside of training. */
export const DROPOUT = 11;
