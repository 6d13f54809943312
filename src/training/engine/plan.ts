/** The plan of a training run's one memory, made before the first step. */
import { MemoryPlan } from "../../kernels/arena.js";
import { TEAM_BYTES } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import { forwardMatrices, type Parameters } from "../network/parameters.js";
import { LOGIT_ROWS, SQUARES_BLOCK, type TrainingBuffers, type TrainingSizes } from "./buffers.js";
import { attendGradScratchBytes, GEMM_SCRATCH_BYTES } from "./kernels.js";

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
