// Causal attention of one sequence and one head of MLA in its expanded form.

import { addLanesF64, expF32, expF32x4 } from "../exp";
import {
  ATTEND_SCRATCH,
  firstSeen,
  floatAt,
  gatherKeys,
  headsOf,
  multipleOf4,
  multiply,
  nopeDimOf,
  ropeDimOf,
  scaleOf,
  scoreTile,
  TILE,
  valueDimOf,
} from "./attend-tile";
import { setGemmSizes, setGemmStrides } from "./gemm";
import { rowMaximum, scaleRow } from "./row";

/**
 * out = softmax(scale q [k_nope | kPe]^T) v, where token i sees tokens starts[i] .. i
 *
 *   out       f32[L, heads, valueDim]              this head's part is written
 *   lse       f32[heads, L]                        this head's row is written: the logarithm of
 *                                                  the sum of e^score
 *   q         f32[L, heads, nopeDim + ropeDim]     roped
 *   kv        f32[L, heads, nopeDim + valueDim]    kv_b times the latents
 *   kPe       f32[L, ropeDim]                      roped, rows kPeRow floats apart
 *   starts    u32[L]                               ascending, starts[i] <= i
 *   shape     AttendShape (attend-tile.ts)
 *   scratch   attendScratchBytes bytes (src/training/engine/kernels.ts)
 *
 * Requires dims that are multiples of 4, scale > 0. Any L >= 1 and alignment.
 */
export function attend(
  out: usize,
  lse: usize,
  q: usize,
  kv: usize,
  kPe: usize,
  starts: usize,
  shape: usize,
  head: i32,
  scratch: usize,
): void {
  const length = load<i32>(shape);
  const heads = headsOf(shape);
  const valueDim = valueDimOf(shape);
  const kvDim = nopeDimOf(shape) + valueDim;
  const scale = scaleOf(shape);
  const keys = scratch + ATTEND_SCRATCH;
  const qkDim = nopeDimOf(shape) + ropeDimOf(shape);
  const weights = floatAt(keys, qkDim * multipleOf4(length));
  const headLse = floatAt(lse, head * length);
  gatherKeys(keys, kv, kPe, shape, head);
  for (let first = 0; first < length; first += TILE) {
    const rows = min(TILE, length - first);
    const from = firstSeen(starts, first);
    const n = multipleOf4(first + rows - from);
    scoreTile(weights, q, keys, shape, head, first, from, scratch);
    for (let i = first; i < first + rows; i++) {
      const start = load<i32>(floatAt(starts, i)) - from;
      const row = floatAt(weights, (i - first) * n);
      store<f32>(floatAt(headLse, i), softmaxPart(row, start, i + 1 - from, n, scale));
    }
    setGemmSizes(scratch, rows, valueDim, first + rows - from, 0);
    setGemmStrides(scratch, n, 1, heads * kvDim, heads * valueDim);
    const values = floatAt(kv, (from * heads + head) * kvDim + nopeDimOf(shape));
    multiply(floatAt(out, (first * heads + head) * valueDim), weights, values, scratch);
  }
}

/**
 * x = softmax(scale x) of elements start .. end, 0 elsewhere in f32 x[n]; returns the logarithm of
 * the sum of e^(scale x)
 */
function softmaxPart(x: usize, start: i32, end: i32, n: i32, scale: f32): f32 {
  const first = floatAt(x, start);
  const count = end - start;
  memory.fill(x, 0, <usize>start << 2);
  memory.fill(floatAt(x, end), 0, <usize>(n - end) << 2);
  const largest = rowMaximum(first, count);
  const shift = f32x4.splat(largest);
  const scales = f32x4.splat(scale);
  let sums = f64x2.splat(0);
  let at = first;
  let i = 0;
  for (; i + 4 <= count; i += 4, at += 16) {
    const e = expF32x4(f32x4.mul(f32x4.sub(v128.load(at), shift), scales));
    v128.store(at, e);
    sums = addLanesF64(sums, e);
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < count; i++, at += 4) {
    const e = expF32((load<f32>(at) - largest) * scale);
    store<f32>(at, e);
    sum += <f64>e;
  }
  scaleRow(first, count, <f32>(1 / sum));
  return <f32>(<f64>largest * <f64>scale + Math.log(sum));
}
