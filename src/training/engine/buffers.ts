/** The buffers of a training run: where each lies in the one memory, with its shape. */

/** What the sizes depend on. */
export interface TrainingSizes {
  /** Tokens of a micro-batch, a multiple of contextLength. */
  readonly tokens: number;
  readonly contextLength: number;
  readonly threads: number;
}

/** What forward keeps of a layer for backward; T tokens. */
export interface LayerBuffers {
  /** f32[T, hiddenSize]: the residual stream before attention, and before the MLP */
  readonly x: number;
  readonly xMid: number;
  /** f32[T, hiddenSize]: their normed copies */
  readonly xNorm: number;
  readonly xMidNorm: number;
  /** f32[T, numHeads, qkNopeHeadDim + qkRopeHeadDim], rotated */
  readonly q: number;
  /** f32[T, kvLoraRank]: the latent, and normed */
  readonly latent: number;
  readonly latentNorm: number;
  /** f32[T, qkRopeHeadDim]: the key that the heads share, rotated */
  readonly kPe: number;
  /** f32[T, numHeads, qkNopeHeadDim + vHeadDim] */
  readonly kv: number;
  /** f32[T, numHeads, vHeadDim] and f32[sequences, numHeads, contextLength] */
  readonly attnOut: number;
  readonly logSumExp: number;
  /** f32[T, intermediateSize]: before the squared ReLU */
  readonly up: number;
}

/** Gradients of one layer's activations, and what the weights' gradients are made of. */
export interface GradientBuffers {
  /** f32[T, hiddenSize]: gradient of the residual stream, and copies before each block's part */
  readonly dx: number;
  readonly dMlpOut: number;
  readonly dAttnOut: number;
  /** f32[T, hiddenSize]: of the normed inputs of the MLP and of attention */
  readonly dxMidNorm: number;
  readonly dxNorm: number;
  /** of q, the latent, its normed copy, the shared key, kv and the heads' outputs */
  readonly dq: number;
  readonly dLatent: number;
  readonly dLatentNorm: number;
  readonly dkPe: number;
  readonly dkv: number;
  readonly dHeads: number;
  /** f32[sequences, numHeads, contextLength, qkRopeHeadDim]: of the shared key, by head */
  readonly dkPeHeads: number;
}

/** Sparse lists: (u32 index, f32 value), with room for every one. */
export interface PairBuffers {
  /** pairs[T, intermediateSize] of the activations and of their gradients; u32[T] counts */
  readonly active: number;
  readonly activeGrad: number;
  readonly counts: number;
  /** pairs[intermediateSize, T]: each neuron's list of tokens; u32[intermediateSize] counts */
  readonly columns: number;
  readonly columnCounts: number;
}

/** Tokens whose logits exist at a time. */
export const LOGIT_ROWS = 256;

/** Gradients whose squares are summed at once. */
export const SQUARES_BLOCK = 4096;

/** Addresses of everything. */
export interface TrainingBuffers {
  readonly team: number;
  /** i32[16] what the threads do next, f32[16] adamw's hyperparameters; both: parts.ts */
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
  readonly layers: readonly LayerBuffers[];
  readonly grads: GradientBuffers;
  readonly pairs: PairBuffers;
  /** f32[T, hiddenSize] after the last layer, and normed; f32[LOGIT_ROWS, vocabSize]; f64[T] */
  readonly xOut: number;
  readonly xOutNorm: number;
  readonly logits: number;
  readonly losses: number;
  /** u32[threads, layers]: activations that were not zero */
  readonly nonZero: number;
  /** f64 sums of squares of the gradients, one for each 4096 */
  readonly squares: number;
  /** a thread's shape structs and scratch */
  readonly shapes: readonly number[];
  readonly scratch: readonly number[];
}
