/** The one memory of a training run: every buffer with its shape, planned before the first step. */
import { MemoryPlan } from "../../kernels/arena.js";
import { TEAM_BYTES } from "../../kernels/team.js";
import type { PlmConfig } from "../../model/config.js";
import { mapTable } from "../../model/tensor-table.js";
import { forwardMatrices, type Parameters } from "../network/parameters.js";
import { attendGradScratchBytes, GEMM_SCRATCH_BYTES } from "./kernels.js";

/** What the sizes depend on. */
export interface TrainingSizes {
  /** Tokens of a micro-batch, a multiple of contextLength. */
  readonly tokens: number;
  readonly contextLength: number;
  readonly threads: number;
}

/** A buffer's shape: four bytes an element. */
export type Shape = readonly number[];

/** Shapes of buffers, by name. */
export type BufferTable<Name extends string = string> = Readonly<
  Record<Name, (config: PlmConfig, sizes: TrainingSizes) => Shape>
>;

/** An architecture's own buffers, beside those that every block has. */
export interface ActivationTables<Kept extends string = string, Grad extends string = string> {
  /** What forward keeps of each layer for backward. */
  readonly kept: BufferTable<Kept>;
  /** What backward makes of one layer, for its weights' gradients and for the layer before. */
  readonly grads: BufferTable<Grad>;
}

/** f32 of T tokens: the residual stream before attention and before the MLP, and normed copies. */
type BlockKept = "x" | "xMid" | "xNorm" | "xMidNorm";

/**
 * f32 of T tokens: the residual stream's gradient, copies of it before each sublayer's part, and
 * that of the normed inputs.
 */
type BlockGrad = "dx" | "dMlpOut" | "dAttnOut" | "dxMidNorm" | "dxNorm";

/** Addresses by name. */
type Addresses<Name extends string> = Readonly<Record<Name, number>>;

/** What forward keeps of a layer. */
export type LayerBuffers<Kept extends string = never> = Addresses<BlockKept | Kept>;

/** Addresses of everything. */
export interface TrainingBuffers<Kept extends string = never, Grad extends string = never> {
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
  readonly layers: readonly LayerBuffers<Kept>[];
  readonly grads: Addresses<BlockGrad | Grad>;
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
    shapes: perThread(() => scratchOf("shapes", 256)),
    scratch: perThread(() => scratchOf("scratch", Math.max(GEMM_SCRATCH_BYTES, attendBytes))),
  };
  return { memory, buffers };
}
