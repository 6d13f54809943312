/** The buffers in a training run's memory, each with its shape. */
import type { PlmConfig } from "../../model/config.js";

/** Determines the buffers' sizes. */
export interface TrainingSizes {
  /** Tokens of a micro-batch, a multiple of contextLength. */
  readonly tokens: number;
  readonly contextLength: number;
  readonly threads: number;
}

/** A buffer's shape, in elements of four bytes. */
export type Shape = readonly number[];

/** Shapes of buffers, by name. */
export type BufferTable<Name extends string = string> = Readonly<
  Record<Name, (config: PlmConfig, sizes: TrainingSizes) => Shape>
>;

/** An architecture's buffers, besides those that every block has. */
export interface ActivationTables<Kept extends string = string, Grad extends string = string> {
  /** What forward keeps of each layer for backward. */
  readonly kept: BufferTable<Kept>;
  /** One layer's gradients, for its weights and for the layer before. */
  readonly grads: BufferTable<Grad>;
}

/** f32 of T tokens: the residual stream before attention and before the MLP, and normed copies. */
export type BlockKept = "x" | "xMid" | "xNorm" | "xMidNorm";

/**
 * f32 of T tokens: the residual stream's gradient, copies of it before each sublayer's part, and
 * that of the normed inputs.
 */
export type BlockGrad = "dx" | "dMlpOut" | "dAttnOut" | "dxMidNorm" | "dxNorm";

/** Addresses by name. */
export type Addresses<Name extends string> = Readonly<Record<Name, number>>;

/** What forward keeps of a layer. */
export type LayerBuffers<Kept extends string = never> = Addresses<BlockKept | Kept>;

/** Addresses of everything. */
export interface TrainingBuffers<Kept extends string = never, Grad extends string = never> {
  readonly team: number;
  /** i32[16] the threads' next work, f32[16] adamw's hyperparameters (parts.ts) */
  readonly work: number;
  readonly hyper: number;
  /** f32[parameters.length] each */
  readonly values: number;
  readonly gradients: number;
  readonly firstMoments: number;
  readonly secondMoments: number;
  /** the matrices that forward multiplies by, transposed: by the parameter's offset */
  readonly transposed: ReadonlyMap<number, number>;
  /** u32[T] each */
  readonly ids: number;
  readonly targets: number;
  readonly positions: number;
  readonly starts: number;
  /** f32[contextLength, qkRopeHeadDim]: cos and sin of each position, in pairs */
  readonly ropeTable: number;
  readonly layers: readonly LayerBuffers<Kept>[];
  readonly grads: Addresses<BlockGrad | Grad>;
  /** f32[T, hiddenSize] after the last layer, and normed; f32[LOGIT_ROWS, vocabSize]; f64[T] */
  readonly xOut: number;
  readonly xOutNorm: number;
  readonly logits: number;
  readonly losses: number;
  /** u32[threads, layers]: activations that were not zero */
  readonly nonZero: number;
  /** f64 sums of squares of the gradients, one per 4096 */
  readonly squares: number;
  /** a thread's shape structs and scratch */
  readonly structs: readonly number[];
  readonly scratch: readonly number[];
}

/** Tokens whose logits exist at a time. */
export const LOGIT_ROWS = 256;

/** Gradients whose squares are summed at once. */
export const SQUARES_BLOCK = 4096;
