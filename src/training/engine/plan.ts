/** Plans a training run's memory before the first step. */
import { MemoryPlan } from "../../kernels/arena.js";
import { TEAM_BYTES } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import { mapTable } from "../../model/tensor-table.js";
import { forwardMatrices, type Parameters } from "../network/parameters.js";
import {
  type ActivationTables,
  type Addresses,
  type BlockGrad,
  type BlockKept,
  type BufferTable,
  LOGIT_ROWS,
  type Shape,
  SQUARES_BLOCK,
  type TrainingBuffers,
  type TrainingSizes,
} from "./buffers.js";
import { attendGradScratchBytes, GEMM_SCRATCH_BYTES } from "./kernels.js";
import { STRUCTS_BYTES } from "./structs.js";

const ofResidual = ({ hiddenSize }: PlmConfig, { tokens }: TrainingSizes): Shape => [
  tokens,
  hiddenSize,
];

const BLOCK_KEPT: BufferTable<BlockKept> = {
  x: ofResidual,
  xMid: ofResidual,
  xNorm: ofResidual,
  xMidNorm: ofResidual,
};

const BLOCK_GRADS: BufferTable<BlockGrad> = {
  dx: ofResidual,
  dMlpOut: ofResidual,
  dAttnOut: ofResidual,
  dxMidNorm: ofResidual,
  dxNorm: ofResidual,
};

/** Plans the memory of a run. */
export function planTraining<Kept extends string, Grad extends string>(
  config: PlmConfig,
  sizes: TrainingSizes,
  parameters: Parameters,
  { kept, grads }: ActivationTables<Kept, Grad>,
): { readonly memory: MemoryPlan; readonly buffers: TrainingBuffers<Kept, Grad> } {
  const memory = new MemoryPlan();
  const { hiddenSize, numHiddenLayers, qkNopeHeadDim, qkRopeHeadDim, vHeadDim, vocabSize } = config;
  const { tokens: T, contextLength, threads } = sizes;
  const scratchOf = (name: string, bytes: number): number => memory.add("scratch", name, bytes);
  const f32 = (name: string, ...shape: Shape): number =>
    scratchOf(
      name,
      shape.reduce((n, dim) => n * dim, 4),
    );
  const weights = (name: string, length: number): number => memory.add("weights", name, length * 4);
  const addAll = <Name extends string>(table: BufferTable<Name>): Addresses<Name> =>
    mapTable(table, (shapeOf, name) => f32(name, ...shapeOf(config, sizes)));
  const perThread = <Value>(make: () => Value): Value[] => Array.from({ length: threads }, make);
  const attendBytes = attendGradScratchBytes(
    contextLength,
    qkNopeHeadDim + qkRopeHeadDim,
    vHeadDim,
  );
  const buffers: TrainingBuffers<Kept, Grad> = {
    team: scratchOf("team", TEAM_BYTES),
    work: scratchOf("work", 64),
    hyper: scratchOf("hyper", 64),
    values: weights("values", parameters.length),
    gradients: weights("gradients", parameters.length),
    firstMoments: weights("first moments", parameters.length),
    secondMoments: weights("second moments", parameters.length),
    transposed: new Map(
      forwardMatrices(parameters).map(({ name, rows, cols, offset }) => [
        offset,
        weights(`${name} transposed`, rows * cols),
      ]),
    ),
    ids: f32("ids", T),
    targets: f32("targets", T),
    positions: f32("positions", T),
    starts: f32("starts", T),
    ropeTable: f32("rope table", contextLength, qkRopeHeadDim),
    layers: Array.from({ length: numHiddenLayers }, () => addAll({ ...BLOCK_KEPT, ...kept })),
    grads: addAll({ ...BLOCK_GRADS, ...grads }),
    xOut: f32("x out", T, hiddenSize),
    xOutNorm: f32("x out normed", T, hiddenSize),
    logits: f32("logits", Math.min(T, LOGIT_ROWS), vocabSize),
    losses: f32("losses", T, 2),
    nonZero: f32("counts of activations", threads, numHiddenLayers),
    squares: f32("squares", Math.ceil(parameters.length / SQUARES_BLOCK), 2),
    structs: perThread(() => scratchOf("structs", STRUCTS_BYTES)),
    scratch: perThread(() => scratchOf("scratch", Math.max(GEMM_SCRATCH_BYTES, attendBytes))),
  };
  return { memory, buffers };
}
