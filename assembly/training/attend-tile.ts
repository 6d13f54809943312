// What attention forward and backward share: its shape, the tiles of queries, their scores.

import { GEMM_SCRATCH, GEMM_SHAPE, gemm, setGemmSizes, setGemmStrides } from "./gemm";
import { transposeStrided } from "./transpose";

//   AttendShape, 28 bytes
//   +---------------------------------------------------------------+
//   |  0  i32  L: tokens of the sequence                            |
//   |  4  i32  heads                                                |
//   |  8  i32  nopeDim                                              |
//   | 12  i32  ropeDim                                              |
//   | 16  i32  valueDim                                             |
//   | 20  i32  kPeRow: floats from one row of kPe to the next       |
//   | 24  f32  scale of the scores                                  |
//   +---------------------------------------------------------------+
const HEADS: usize = 4;
const NOPE_DIM: usize = 8;
const ROPE_DIM: usize = 12;
const VALUE_DIM: usize = 16;
const KPE_ROW: usize = 20;
const SCALE: usize = 24;

// attendGrad's grads: u32 addresses of dq, dkv, dkPe.
export const DKV: usize = 4;
export const DKPE: usize = 8;

// attendGrad's inputs: u32 addresses of q, kv, kPe, out, lse, dout.
export const KV: usize = 4;
export const KPE: usize = 8;
export const OUT: usize = 12;
export const LSE: usize = 16;
export const DOUT: usize = 20;

/** Queries of a tile: its scores are f32[TILE, at most multipleOf4(L)]. */
export const TILE: i32 = 32;

/** Where in scratch the part of a single pass begins: behind gemm's parts. */
export const ATTEND_SCRATCH: usize = GEMM_SHAPE + GEMM_SCRATCH;

// @ts-ignore: decorator
@inline
export function headsOf(shape: usize): i32 {
  return load<i32>(shape, HEADS);
}

// @ts-ignore: decorator
@inline
export function nopeDimOf(shape: usize): i32 {
  return load<i32>(shape, NOPE_DIM);
}

// @ts-ignore: decorator
@inline
export function ropeDimOf(shape: usize): i32 {
  return load<i32>(shape, ROPE_DIM);
}

// @ts-ignore: decorator
@inline
export function valueDimOf(shape: usize): i32 {
  return load<i32>(shape, VALUE_DIM);
}

// @ts-ignore: decorator
@inline
export function kPeRowOf(shape: usize): i32 {
  return load<i32>(shape, KPE_ROW);
}

// @ts-ignore: decorator
@inline
export function scaleOf(shape: usize): f32 {
  return load<f32>(shape, SCALE);
}

/** The address of element i of f32 at base. */
// @ts-ignore: decorator
@inline
export function floatAt(base: usize, i: i32): usize {
  return base + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline
export function multipleOf4(n: i32): i32 {
  return (n + 3) & ~3;
}

/** The first position of a tile's scores: that of its first query's document, or just before. */
// @ts-ignore: decorator
@inline
export function firstSeen(starts: usize, firstQuery: i32): i32 {
  return load<i32>(floatAt(starts, firstQuery)) & ~3;
}

/**
 * keys = this head's [k_nope | kPe], transposed: f32[nopeDim + ropeDim, multipleOf4(L)]; columns
 * from L on are not written
 */
export function gatherKeys(keys: usize, kv: usize, kPe: usize, shape: usize, head: i32): void {
  const length = load<i32>(shape);
  const nopeDim = nopeDimOf(shape);
  const kvDim = nopeDim + valueDimOf(shape);
  const toRow = <usize>multipleOf4(length) << 2;
  const kvRow = <usize>(headsOf(shape) * kvDim) << 2;
  const rotated = keys + <usize>nopeDim * toRow;
  transposeStrided(keys, toRow, floatAt(kv, head * kvDim), kvRow, length, nopeDim);
  transposeStrided(rotated, toRow, kPe, <usize>kPeRowOf(shape) << 2, length, ropeDimOf(shape));
}

/**
 * scores = q keys: f32[rows, n], of queries first .. first + rows with positions from .. from + n
 *
 *   q         f32[L, heads, nopeDim + ropeDim]
 *   keys      gatherKeys'
 *   scratch   the attend kernels'
 */
export function scoreTile(
  scores: usize,
  q: usize,
  keys: usize,
  shape: usize,
  head: i32,
  first: i32,
  from: i32,
  scratch: usize,
): void {
  const heads = headsOf(shape);
  const qkDim = nopeDimOf(shape) + ropeDimOf(shape);
  const rows = min(TILE, load<i32>(shape) - first);
  const n = multipleOf4(first + rows - from);
  setGemmSizes(scratch, rows, n, qkDim, 0);
  setGemmStrides(scratch, heads * qkDim, 1, multipleOf4(load<i32>(shape)), n);
  multiply(scores, floatAt(q, (first * heads + head) * qkDim), floatAt(keys, from), scratch);
}

/** gemm with its shape and scratch in the attend kernels' scratch. */
// @ts-ignore: decorator
@inline
export function multiply(c: usize, a: usize, b: usize, scratch: usize): void {
  gemm(c, a, b, scratch, scratch + GEMM_SHAPE);
}
