/** What a block is made of: parts that each add to the residual stream. */

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

/** A block's two parts. */
export interface Sublayers {
  readonly attention: Sublayer;
  readonly mlp: MlpSublayer;
}
