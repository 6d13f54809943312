/** The one memory of a training run: every buffer with its shape, planned before the first step. */
import { MemoryPlan } from "../../kernels/arena.js";
import { TEAM_BYTES } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import type { LayerParameters, Parameter, Parameters } from "../network/parameters.js";
import { attendGradScratchBytes, GEMM_SCRATCH_BYTES } from "./kernels.js";

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

/** Tokens whose logits exist at a time. */
export const LOGIT_ROWS = 256;

/** Gradients whose squares are summed at once. */
export const SQUARES_BLOCK = 4096;

/** Plans the memory of a run. */
export function planTraining(
  config: PlmConfig,
  parameters: Parameters,
  sizes: TrainingSizes,
): { readonly memory: MemoryPlan; readonly buffers: TrainingBuffers } {
  const memory = new MemoryPlan();
  const { hiddenSize, intermediateSize, numAttentionHeads: heads, kvLoraRank } = config;
  const { qkNopeHeadDim, qkRopeHeadDim, vHeadDim, vocabSize } = config;
  const { tokens: T, contextLength, threads } = sizes;
  const scratchOf = (name: string, bytes: number): number => memory.add("scratch", name, bytes);
  const f32 = (name: string, ...shape: number[]): number =>
    scratchOf(
      name,
      shape.reduce((n, dim) => n * dim, 4),
    );
  const weights = (name: string, length: number): number => memory.add("weights", name, length * 4);
  const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
  const qDim = heads * qkHeadDim;
  const kvDim = heads * (qkNopeHeadDim + vHeadDim);
  const vDim = heads * vHeadDim;
  const perThread = <Value>(make: () => Value): Value[] => Array.from({ length: threads }, make);
  const buffers: TrainingBuffers = {
    team: scratchOf("team", TEAM_BYTES),
    work: scratchOf("work", 64),
    hyper: scratchOf("hyper", 64),
    values: weights("values", parameters.length),
    gradients: weights("gradients", parameters.length),
    firstMoments: weights("first moments", parameters.length),
    secondMoments: weights("second moments", parameters.length),
    transposed: planTransposed(parameters, weights),
    ids: f32("ids", T),
    targets: f32("targets", T),
    positions: f32("positions", T),
    starts: f32("starts", T),
    ropeTable: f32("rope table", contextLength, qkRopeHeadDim),
    layers: Array.from({ length: config.numHiddenLayers }, () => ({
      x: f32("x", T, hiddenSize),
      xMid: f32("x before the MLP", T, hiddenSize),
      xNorm: f32("x normed", T, hiddenSize),
      xMidNorm: f32("x before the MLP normed", T, hiddenSize),
      q: f32("q", T, qDim),
      latent: f32("latent", T, kvLoraRank),
      latentNorm: f32("latent normed", T, kvLoraRank),
      kPe: f32("rope keys", T, qkRopeHeadDim),
      kv: f32("kv", T, kvDim),
      attnOut: f32("attention out", T, vDim),
      logSumExp: f32("log of sums", T, heads),
      up: f32("up", T, intermediateSize),
    })),
    grads: {
      dx: f32("dx", T, hiddenSize),
      dMlpOut: f32("d of the MLP's output", T, hiddenSize),
      dAttnOut: f32("d of attention's output", T, hiddenSize),
      dxMidNorm: f32("d of the MLP's input", T, hiddenSize),
      dxNorm: f32("d of attention's input", T, hiddenSize),
      dq: f32("dq", T, qDim),
      dLatent: f32("d of the latent", T, kvLoraRank),
      dLatentNorm: f32("d of the normed latent", T, kvLoraRank),
      dkPe: f32("d of the rope keys", T, qkRopeHeadDim),
      dkv: f32("dkv", T, kvDim),
      dHeads: f32("d of the heads' outputs", T, vDim),
      dkPeHeads: f32("d of the rope keys by head", T, heads, qkRopeHeadDim),
    },
    pairs: {
      active: f32("active", T, intermediateSize, 2),
      activeGrad: f32("gradients of active", T, intermediateSize, 2),
      counts: f32("counts", T),
      columns: f32("columns", intermediateSize, T, 2),
      columnCounts: f32("column counts", intermediateSize),
    },
    xOut: f32("x out", T, hiddenSize),
    xOutNorm: f32("x out normed", T, hiddenSize),
    logits: f32("logits", Math.min(T, LOGIT_ROWS), vocabSize),
    losses: f32("losses", T, 2),
    nonZero: f32("counts of activations", threads, config.numHiddenLayers),
    squares: f32("squares", Math.ceil(parameters.length / SQUARES_BLOCK), 2),
    shapes: perThread(() => scratchOf("shapes", 256)),
    scratch: perThread(() =>
      scratchOf(
        "scratch",
        Math.max(GEMM_SCRATCH_BYTES, attendGradScratchBytes(contextLength, qkHeadDim, vHeadDim)),
      ),
    ),
  };
  return { memory, buffers };
}

/** The matrices of a layer that forward multiplies by; the down-projection lies transposed. */
export function forwardMatrices(layer: LayerParameters): readonly Parameter[] {
  return [layer.qProj, layer.kvAProjWithMqa, layer.kvBProj, layer.oProj, layer.upProj];
}

function planTransposed(
  { embedTokens, layers }: Parameters,
  weights: (name: string, length: number) => number,
): ReadonlyMap<number, number> {
  const matrices = [embedTokens, ...layers.flatMap(forwardMatrices)];
  return new Map(
    matrices.map(({ name, rows, cols, offset }) => [
      offset,
      weights(`${name} transposed`, rows * cols),
    ]),
  );
}
