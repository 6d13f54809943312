/**
 * The typed interface of the training binary: one member per export of assembly/training/index.ts,
 * whose files hold the contracts. Everything is f32, matrices are row-major. Names ending in Ptr
 * are byte addresses in the one memory; counts and strides are in elements.
 */

import { GemmShape } from "./structs.js";

/** What the training binary exports. */
export interface TrainingKernels {
  // matrices
  /** f32 C[m, n] <- or += A[m, k] B[k, n]; shape: GemmShape */
  gemm(cPtr: number, aPtr: number, bPtr: number, shapePtr: number, scratchPtr: number): void;
  /** f32[cols, rows] <- f32[rows, cols] */
  transpose(toPtr: number, fromPtr: number, rows: number, cols: number): void;

  // from the inference kernels
  /** f32[n] += f32[n] */
  addF32(xPtr: number, yPtr: number, n: number): void;
  /** f32[rows, n] <- f32[rows, n], f32 weight[n] */
  rmsnormF32(
    yPtr: number,
    xPtr: number,
    weightPtr: number,
    rows: number,
    n: number,
    eps: number,
  ): void;
  ropeF32(xPtr: number, tablePtr: number, heads: number, headStride: number, n: number): void;
  joinTeam(teamPtr: number, count: number, spins: number): number;
  spinWhile(ptr: number, value: number): number;

  // RMSNorm and rope backward
  /** f32 dx[rows, cols] += gradient of rmsnormF32 in x */
  rmsnormGrad(
    dxPtr: number,
    xPtr: number,
    gainPtr: number,
    dyPtr: number,
    rows: number,
    cols: number,
    eps: number,
  ): void;
  /** f32 dgain[first..end) += gradient of rmsnormF32 in its weight */
  rmsnormGainGrad(
    dgainPtr: number,
    xPtr: number,
    dyPtr: number,
    rows: number,
    cols: number,
    first: number,
    end: number,
    eps: number,
  ): void;
  /** the inverse rotation of ropeF32 */
  ropeGrad(dxPtr: number, tablePtr: number, heads: number, headStride: number, n: number): void;

  // squared ReLU and its sparse rows; a pair is a u32 index and an f32 value
  /** count <- pairs (i, u[i]^2) of the positive values of f32 u[n] */
  relu2Pairs(pairsPtr: number, uPtr: number, n: number): number;
  /** f32 y[cols] <- or += sum of value * w[index, :] */
  sparseRows(
    yPtr: number,
    pairsPtr: number,
    count: number,
    wPtr: number,
    cols: number,
    accumulate: number,
  ): void;
  /** pairs (index, 2 u[index] (dy . w[index, :])) <- pairs of relu2Pairs */
  relu2GradPairs(
    toPtr: number,
    pairsPtr: number,
    count: number,
    uPtr: number,
    dyPtr: number,
    wPtr: number,
    cols: number,
  ): void;
  /** pairs (token, value) of columns [first, end) <- pairs (column, value) of n tokens */
  transposePairs(
    toPtr: number,
    toCountsPtr: number,
    pairsPtr: number,
    countsPtr: number,
    n: number,
    width: number,
    first: number,
    end: number,
  ): void;

  // attention of one sequence and head
  /** shape: AttendShape */
  attend(
    outPtr: number,
    lsePtr: number,
    qPtr: number,
    kvPtr: number,
    kPePtr: number,
    startsPtr: number,
    shapePtr: number,
    head: number,
    scratchPtr: number,
  ): void;
  /** grads: AttendGrads; inputs: AttendInputs */
  attendGrad(
    gradsPtr: number,
    inputsPtr: number,
    startsPtr: number,
    shapePtr: number,
    head: number,
    scratchPtr: number,
  ): void;

  // embedding, dropout, loss and optimizer
  /** f64 losses[rows]; f32 logits[rows, cols] become their gradient times scale */
  crossEntropy(
    logitsPtr: number,
    targetsPtr: number,
    rows: number,
    cols: number,
    scale: number,
    lossesPtr: number,
  ): void;
  /** f32 x[n, cols] <- rows u32 ids[n] of a table */
  gatherRows(xPtr: number, tablePtr: number, idsPtr: number, n: number, cols: number): void;
  /** f32 dtable[ids[i], first..end) += dx[i, first..end) */
  scatterAddRows(
    dtablePtr: number,
    idsPtr: number,
    dxPtr: number,
    n: number,
    cols: number,
    first: number,
    end: number,
  ): void;
  /** f32 x[n] times scale, or 0 where the random word of (key, first + i) is below threshold */
  dropout(
    xPtr: number,
    n: number,
    first: number,
    key: number,
    threshold: number,
    scale: number,
  ): void;
  /** sum of the squares of f32 x[n], in f64 */
  sumSquares(xPtr: number, n: number): number;
  /** one step of AdamW; hyper: f32[8] of assembly/training/adamw.ts */
  adamw(pPtr: number, gPtr: number, mPtr: number, vPtr: number, n: number, hyperPtr: number): void;
}

/** Marks a token without a target: crossEntropy then returns a loss and gradients of 0. */
export const NO_TARGET = 0xffffffff;

/** Bytes of a pair: u32 index, f32 value. */
export const PAIR_BYTES = 8;

/** Rows, depth and columns that gemm packs at once (assembly/training/gemm.ts). */
const GEMM_ROWS = 64;
const GEMM_DEPTH = 256;
const GEMM_COLUMNS = 8;

/** Bytes of scratch that gemm needs, whatever its shape. */
export const GEMM_SCRATCH_BYTES: number = (GEMM_ROWS + GEMM_COLUMNS) * GEMM_DEPTH * 4;

/** Queries that the attend kernels take at a time (assembly/training/attend-tile.ts). */
const ATTEND_TILE = 32;

/** Bytes of scratch that attend needs; qkDim is nopeDim + ropeDim. */
export function attendScratchBytes(length: number, qkDim: number): number {
  return GemmShape.BYTES + GEMM_SCRATCH_BYTES + 4 * multipleOf4(length) * (qkDim + ATTEND_TILE);
}

/** Bytes of scratch that attendGrad needs. */
export function attendGradScratchBytes(length: number, qkDim: number, valueDim: number): number {
  const more = valueDim + ATTEND_TILE;
  return attendScratchBytes(length, qkDim) + 4 * multipleOf4(length) * more;
}

function multipleOf4(n: number): number {
  return Math.ceil(n / 4) * 4;
}
