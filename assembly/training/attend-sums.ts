// Attention backward: what a tile of queries adds to the gradients of queries and keys.

import {
  DKPE,
  DKV,
  DOUT,
  floatAt,
  headsOf,
  KPE,
  KV,
  kPeRowOf,
  multipleOf4,
  multiply,
  nopeDimOf,
  ropeDimOf,
  TILE,
  valueDimOf,
} from "./attend-tile";
import { setGemmSizes, setGemmStrides } from "./gemm";

/** dkv += [dS^T q_nope | P^T dout], dkPe += dS^T q_pe, for the positions that the tile sees. */
export function addKeyGrads(
  grads: usize,
  weights: usize,
  changes: usize,
  inputs: usize,
  shape: usize,
  head: i32,
  first: i32,
  from: i32,
  scratch: usize,
): void {
  const length = load<i32>(shape);
  const heads = headsOf(shape);
  const nopeDim = nopeDimOf(shape);
  const ropeDim = ropeDimOf(shape);
  const valueDim = valueDimOf(shape);
  const rows = min(TILE, length - first);
  const count = first + rows - from;
  const n = multipleOf4(count);
  const kvRow = heads * (nopeDim + valueDim);
  const qRow = heads * (nopeDim + ropeDim);
  const q = floatAt(load<usize>(inputs), first * qRow + head * (nopeDim + ropeDim));
  const dout = floatAt(load<usize>(inputs, DOUT), (first * heads + head) * valueDim);
  const dkv = floatAt(load<usize>(grads, DKV), from * kvRow + head * (nopeDim + valueDim));
  const dkPe = floatAt(load<usize>(grads, DKPE), (head * length + from) * ropeDim);
  setGemmSizes(scratch, count, nopeDim, rows, 1);
  setGemmStrides(scratch, 1, n, qRow, kvRow);
  multiply(dkv, changes, q, scratch);
  setGemmSizes(scratch, count, ropeDim, rows, 1);
  setGemmStrides(scratch, 1, n, qRow, ropeDim);
  multiply(dkPe, changes, floatAt(q, nopeDim), scratch);
  setGemmSizes(scratch, count, valueDim, rows, 1);
  setGemmStrides(scratch, 1, n, heads * valueDim, kvRow);
  multiply(floatAt(dkv, nopeDim), weights, dout, scratch);
}

/** dq = dS [k_nope | kPe] of the tile's queries. */
export function queryGrads(
  grads: usize,
  changes: usize,
  inputs: usize,
  shape: usize,
  head: i32,
  first: i32,
  from: i32,
  scratch: usize,
): void {
  const heads = headsOf(shape);
  const nopeDim = nopeDimOf(shape);
  const ropeDim = ropeDimOf(shape);
  const kvDim = nopeDim + valueDimOf(shape);
  const qRow = heads * (nopeDim + ropeDim);
  const rows = min(TILE, load<i32>(shape) - first);
  const count = first + rows - from;
  const n = multipleOf4(count);
  const dq = floatAt(load<usize>(grads), first * qRow + head * (nopeDim + ropeDim));
  const kv = floatAt(load<usize>(inputs, KV), (from * heads + head) * kvDim);
  const kPe = floatAt(load<usize>(inputs, KPE), from * kPeRowOf(shape));
  setGemmSizes(scratch, rows, nopeDim, count, 0);
  setGemmStrides(scratch, n, 1, heads * kvDim, qRow);
  multiply(dq, changes, kv, scratch);
  setGemmSizes(scratch, rows, ropeDim, count, 0);
  setGemmStrides(scratch, n, 1, kPeRowOf(shape), qRow);
  multiply(floatAt(dq, nopeDim), changes, kPe, scratch);
}
