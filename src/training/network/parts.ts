/** What one thread of a training run computes with. */
import type { Member } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import type { TrainingBuffers, TrainingSizes } from "../engine/buffers.js";
import type { TrainingKernels } from "../engine/kernels.js";
import type { Parameters } from "./parameters.js";

/** An architecture's own names, beside those that every block has. */
export interface Names {
  /** Of a layer's tensors, of what forward keeps of it, and of gradients. */
  readonly tensor: string;
  readonly kept: string;
  readonly grad: string;
}

/** Those of no architecture in particular. */
interface NoNames {
  readonly tensor: never;
  readonly kept: never;
  readonly grad: never;
}

/** What one thread of a training run computes with. */
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

/** Where in `work`, after the work itself, the key of a batch's dropout lies. */
export const DROPOUT_KEY = 1;

/** Where in `hyper`, after the 8 floats of adamw, other numbers lie. */
export const GRADIENT_SCALE = 8;
export const CLIP = 9;
/** Written by the thread of the caller: the norm of the gradients before clipping. */
export const GRADIENT_NORM = 10;
/** The share that dropout zeroes; 0 where nothing learns. */
export const DROPOUT = 11;
