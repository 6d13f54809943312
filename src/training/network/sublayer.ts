/** What a block is made of: sublayers that each add to the residual stream. */
import type { TensorTable } from "../../model/tensor-table.js";
import type { ActivationTables } from "../engine/buffers.js";
import type { Names, TrainingParts } from "./parts.js";

/** Attention or the MLP, each with the norm before it; one thread's part, all layers'. */
export interface Sublayer {
  /** The residual stream after it, of n tokens from the first on; keeps what backward needs. */
  forward(layer: number, first: number, n: number): void;
  /** `grads.dx` of its input from that of its output; keeps what addWeights needs. */
  backward(layer: number, first: number, n: number): void;
  /** This thread's share of its parameters' gradients, over the tokens of all threads. */
  addWeights(layer: number): void;
}

/** An MLP, which counts. */
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
 * A sublayer of an architecture: its tensors, its buffers and the code that computes with them. It
 * is a kind for any names, as `create` is only ever given parts that are made from its own tables.
 */
export interface SublayerKind<Made extends Sublayer = Sublayer, Own extends Names = Names>
  extends ActivationTables<Own["kept"], Own["grad"]> {
  /** Parameters lie, and are drawn at random, in this order. */
  readonly tensors: TensorTable<Own["tensor"]>;
  /** One thread's part. */
  create(parts: TrainingParts<Own>): Made;
}
