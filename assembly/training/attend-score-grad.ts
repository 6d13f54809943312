// Attention backward: from the scores and the gradients of the weights to those of the scores.

import { expF32, expF32x4 } from "../exp";
import { sumF32x4 } from "../lanes";
import {
  DOUT,
  floatAt,
  headsOf,
  LSE,
  multipleOf4,
  OUT,
  scaleOf,
  TILE,
  valueDimOf,
} from "./attend-tile";

/** weights = P of the scores in it, changes = dS of the dP in it. */
export function scoreGrads(
  weights: usize,
  changes: usize,
  inputs: usize,
  starts: usize,
  shape: usize,
  head: i32,
  first: i32,
  from: i32,
): void {
  const length = load<i32>(shape);
  const heads = headsOf(shape);
  const valueDim = valueDimOf(shape);
  const lse = floatAt(load<usize>(inputs, LSE), head * length);
  const rows = min(TILE, length - first);
  const rowBytes = <usize>multipleOf4(first + rows - from) << 2;
  for (let i = first; i < first + rows; i++, weights += rowBytes, changes += rowBytes) {
    const start = <usize>(load<i32>(floatAt(starts, i)) - from) << 2;
    const end = <usize>(i + 1 - from) << 2;
    const row = (i * heads + head) * valueDim;
    const dout = floatAt(load<usize>(inputs, DOUT), row);
    const center = dot(dout, floatAt(load<usize>(inputs, OUT), row), valueDim);
    memory.fill(weights, 0, start);
    memory.fill(changes, 0, start);
    memory.fill(weights + end, 0, rowBytes - end);
    memory.fill(changes + end, 0, rowBytes - end);
    const rowLse = load<f32>(floatAt(lse, i));
    scoreGradRow(weights + start, changes + start, end - start, rowLse, center, scaleOf(shape));
  }
}

/** The visible part, `bytes` bytes, of a row of scoreGrads. */
// @ts-ignore: decorator
@inline
function scoreGradRow(
  weights: usize,
  changes: usize,
  bytes: usize,
  lse: f32,
  center: f32,
  scale: f32,
): void {
  const scales = f32x4.splat(scale);
  const shift = f32x4.splat(lse);
  const centers = f32x4.splat(center);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const weight = expF32x4(f32x4.sub(f32x4.mul(v128.load(weights + at), scales), shift));
    const change = f32x4.mul(f32x4.sub(v128.load(changes + at), centers), scales);
    v128.store(weights + at, weight);
    v128.store(changes + at, f32x4.mul(weight, change));
  }
  for (; at < bytes; at += 4) {
    const weight = expF32(load<f32>(weights + at) * scale - lse);
    const change = (load<f32>(changes + at) - center) * scale;
    store<f32>(weights + at, weight);
    store<f32>(changes + at, weight * change);
  }
}

/** a . b of n floats, n % 4 == 0. */
// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, n: i32): f32 {
  let sum = f32x4.splat(0);
  for (const end = floatAt(a, n); a < end; a += 16, b += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(a), v128.load(b)));
  }
  return sumF32x4(sum);
}
