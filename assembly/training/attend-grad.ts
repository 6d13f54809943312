// Attention backward. The weights are recomputed from the log of their sum, as in FlashAttention
// (Dao, arXiv:2307.08691): with P the weights, dP = dout v^T and D = dout . out of each query,
//   dS = scale P (dP - D), dv = P^T dout, dq = dS k, dk = dS^T q.

import { scoreGrads } from "./attend-score-grad";
import { addKeyGrads, queryGrads } from "./attend-sums";
import {
  ATTEND_SCRATCH,
  DKPE,
  DKV,
  DOUT,
  firstSeen,
  floatAt,
  gatherKeys,
  headsOf,
  KPE,
  KV,
  multipleOf4,
  multiply,
  nopeDimOf,
  ropeDimOf,
  scoreTile,
  TILE,
  valueDimOf,
} from "./attend-tile";
import { setGemmSizes, setGemmStrides } from "./gemm";
import { transposeStrided } from "./transpose";

/**
 * The gradients of attend in q, kv and kPe
 *
 *   grads     u32 addresses of dq, dkv (as q and kv; this head's parts are written) and
 *             dkPe f32[heads, L, ropeDim] (this head's part is written)
 *   inputs    u32 addresses of q, kv, kPe, out, lse (attend's inputs and outputs) and
 *             dout f32[L, heads, valueDim]
 *   starts    u32[L]
 *   shape     AttendShape (attend-tile.ts)
 *   scratch   attendGradScratchBytes bytes (src/training/engine/kernels.ts)
 *
 * Requires what attend does.
 */
export function attendGrad(
  grads: usize,
  inputs: usize,
  starts: usize,
  shape: usize,
  head: i32,
  scratch: usize,
): void {
  const length = load<i32>(shape);
  const padded = multipleOf4(length);
  const qkDim = nopeDimOf(shape) + ropeDimOf(shape);
  const q = load<usize>(inputs);
  const kv = load<usize>(inputs, KV);
  const keys = scratch + ATTEND_SCRATCH;
  const values = floatAt(keys, qkDim * padded);
  const weights = floatAt(values, valueDimOf(shape) * padded);
  const changes = floatAt(weights, TILE * padded);
  gatherKeys(keys, kv, load<usize>(inputs, KPE), shape, head);
  gatherValues(values, kv, shape, head);
  clearGrads(grads, shape, head);
  for (let first = 0; first < length; first += TILE) {
    const from = firstSeen(starts, first);
    scoreTile(weights, q, keys, shape, head, first, from, scratch);
    weightGrads(changes, values, inputs, shape, head, first, from, scratch);
    scoreGrads(weights, changes, inputs, starts, shape, head, first, from);
    addKeyGrads(grads, weights, changes, inputs, shape, head, first, from, scratch);
    queryGrads(grads, changes, inputs, shape, head, first, from, scratch);
  }
}

/** values = this head's values, transposed: f32[valueDim, multipleOf4(L)] */
function gatherValues(values: usize, kv: usize, shape: usize, head: i32): void {
  const length = load<i32>(shape);
  const valueDim = valueDimOf(shape);
  const kvDim = nopeDimOf(shape) + valueDim;
  const from = floatAt(kv, head * kvDim + nopeDimOf(shape));
  const fromRow = <usize>(headsOf(shape) * kvDim) << 2;
  transposeStrided(values, <usize>multipleOf4(length) << 2, from, fromRow, length, valueDim);
}

/** Zeroes what tiles add to. */
function clearGrads(grads: usize, shape: usize, head: i32): void {
  const length = load<i32>(shape);
  const kvDim = nopeDimOf(shape) + valueDimOf(shape);
  const partBytes = <usize>(length * ropeDimOf(shape)) << 2;
  memory.fill(load<usize>(grads, DKPE) + <usize>head * partBytes, 0, partBytes);
  let row = floatAt(load<usize>(grads, DKV), head * kvDim);
  for (let i = 0; i < length; i++, row += <usize>(headsOf(shape) * kvDim) << 2) {
    memory.fill(row, 0, <usize>kvDim << 2);
  }
}

/** changes = dP = dout values: f32[rows, n] */
function weightGrads(
  changes: usize,
  values: usize,
  inputs: usize,
  shape: usize,
  head: i32,
  first: i32,
  from: i32,
  scratch: usize,
): void {
  const heads = headsOf(shape);
  const valueDim = valueDimOf(shape);
  const rows = min(TILE, load<i32>(shape) - first);
  const n = multipleOf4(first + rows - from);
  const dout = floatAt(load<usize>(inputs, DOUT), (first * heads + head) * valueDim);
  setGemmSizes(scratch, rows, n, valueDim, 0);
  setGemmStrides(scratch, heads * valueDim, 1, multipleOf4(load<i32>(shape)), n);
  multiply(changes, dout, floatAt(values, from), scratch);
}
