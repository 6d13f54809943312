/** The sublayers of a block, each of which adds to the residual stream. */
import type { TensorTable } from "../../model/tensor-table.js";
import type { ActivationTables } from "../engine/buffers.js";
import type { Names, TrainingParts } from "./parts.js";

/** One thread's attention or MLP of all layers, with the norm before it. */
export interface Sublayer {
  /** Computes the residual stream after it for n tokens; keeps what backward needs. */
  forward(layer: number, first: number, n: number): void;
  /** Turns `grads.dx` of its output into that of its input; keeps what addWeights needs. */
  backward(layer: number, first: number, n: number): void;
  /** Adds this thread's share of its parameters' gradients, over the tokens of all threads. */
  addWeights(layer: number): void;
}

/** An MLP, which counts its activations. */
export interface MlpSublayer extends Sublayer {
  /** Returns how many of the n tokens' activations are not zero. */
  forward(layer: number, first: number, n: number): number;
}

/** A block's two sublayers. */
export interface Sublayers {
  readonly attention: Sublayer;
  readonly mlp: MlpSublayer;
}

/**
 * A sublayer of an architecture: its tensors, buffers and code. The names are its own: `create` is
 * given parts made from its own tables.
 */
export interface SublayerKind<Made extends Sublayer = Sublayer, Own extends Names = Names>
  extends ActivationTables<Own["kept"], Own["grad"]> {
  /** The order of parameters in memory and in random initialization. */
  readonly tensors: TensorTable<Own["tensor"]>;
  /** One thread's part. */
  create(parts: TrainingParts<Own>): Made;
}
