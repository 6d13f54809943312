/** How far rounding can take latent attention from the exact result. */
import type { LatentQuery } from "../../support/reference.js";
import type { RowType } from "./latent.js";

/** Sum of |x[i]| over [from, to). */
function sumAbs(x: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.abs(x[i]);
  return sum;
}

function maxAbs(x: Float32Array, from: number, to: number): number {
  let most = 0;
  for (let i = from; i < to; i++) most = Math.max(most, Math.abs(x[i]));
  return most;
}

/** The step of integers for x[from .. to) of a query: 15 bits, or 18 of the sum of 128. */
function queryUnit(x: Float32Array, from: number, to: number): number {
  let unit = maxAbs(x, from, to) / 32767;
  for (let i = from; i < to; i += 128) {
    unit = Math.max(unit, sumAbs(x, i, Math.min(i + 128, to)) / 262080);
  }
  return unit;
}

/** By how much the rounding of a query, of head h, can change its score with row t, unscaled. */
function queryError(
  keepsBlocks: boolean,
  query: LatentQuery,
  rows: Float32Array,
  h: number,
  t: number,
): number {
  const { latentDim, ropeDim, unscored = 0, q } = query;
  const dims = latentDim + ropeDim;
  const step = keepsBlocks ? 32 : latentDim;
  const qAt = h * (dims - unscored) - unscored;
  let error = 0;
  for (let from = unscored; from < dims; from += from < latentDim ? step : ropeDim) {
    const to = from < latentDim ? from + step : dims;
    const [qa, qb, ra, rb] = [qAt + from, qAt + to, t * dims + from, t * dims + to];
    const most = from < latentDim ? 116 : 32639;
    const unit = keepsBlocks ? maxAbs(q, qa, qb) / most : queryUnit(q, qa, qb);
    error += 0.501 * unit * sumAbs(rows, ra, rb);
  }
  return error;
}

/** The rows that a kernel reads. */
export interface RowsKind {
  readonly type: RowType;
  /** Whether it multiplies q8_0 rows as they are (assembly/attention/tile-s8.ts). */
  readonly keepsBlocks: boolean;
}

/**
 * How far rounding can take each output from the exact one, at worst. With every score off by at
 * most d, each weight is off by e^2d - 1 of itself. d is dims / 4 + 8 roundings of 2^-24 of the
 * score's terms; in integers also half a step of each query value, half a step of each f16 row
 * value (amax / 8191) and a whole one for q8_0. Values add 2 roundings a tile and 100 for a tile's
 * sum and exp; in integers half a step of the weights times scale, and the row values' steps. Where
 * q8_0 rows are multiplied as they are, they have no steps, and weights have three halves: their
 * own, that of their product with a block's share of the row's largest scale, and that share's.
 */
export function errorBound(
  { type, keepsBlocks }: RowsKind,
  query: LatentQuery,
  rows: Float32Array,
  weights: number[][],
): Float64Array {
  const { heads, latentDim, ropeDim, unscored = 0, scale, q } = query;
  const dims = latentDim + ropeDim;
  const positions = rows.length / dims;
  const integer = type !== "F32";
  const rowError = { F32: 0, F16: 0.501, I16: 0, Q8_0: keepsBlocks ? 0 : 1.01 }[type];
  const bound = new Float64Array(heads * latentDim);
  const units = [
    [0, latentDim],
    [latentDim, dims],
  ].filter(([from]) => from >= unscored);
  for (let h = 0; h < heads; h++) {
    const qAt = h * (dims - unscored) - unscored;
    let d = 0;
    for (let t = 0; t < positions; t++) {
      let terms = 0;
      for (let i = unscored; i < dims; i++) terms += Math.abs(q[qAt + i] * rows[t * dims + i]);
      let error = (dims / 4 + 8) * 2 ** -24 * terms;
      if (integer) error += queryError(keepsBlocks, query, rows, h, t);
      for (const [from, to] of units) {
        const [qa, qb, ra, rb] = [qAt + from, qAt + to, t * dims + from, t * dims + to];
        error += ((rowError * maxAbs(rows, ra, rb)) / 8190) * sumAbs(q, qa, qb) * 1.001;
      }
      d = Math.max(d, error * scale);
    }
    const relative = Math.expm1(2 * d) + (2 * Math.ceil(positions / 32) + 100) * 2 ** -24;
    const most = keepsBlocks ? 126.99 : type === "Q8_0" ? 8190 : 8191;
    const rowUnit = (t: number): number => maxAbs(rows, t * dims, t * dims + latentDim) / most;
    const halves = keepsBlocks ? 1.51 : 0.501;
    for (let first = 0; first < positions; first += 64) {
      const tile = weights[h].slice(first, first + 64).map((w, i) => w * rowUnit(first + i));
      const sum = tile.reduce((a, b) => a + b, 0);
      const weightUnit = Math.max(Math.max(...tile) / 32767, sum / 262080);
      tile.forEach((_, i) => {
        const t = first + i;
        const unit = rowUnit(t);
        const weight = weights[h][t];
        let step = unit;
        for (let j = 0; j < latentDim; j++) {
          const at = t * dims + j;
          if (keepsBlocks && j % 32 === 0) step = maxAbs(rows, at, at + 32) / 127;
          const value = Math.abs(rows[at]);
          let error = relative * weight * value;
          if (integer && value > 0) error += (halves + relative) * weightUnit * (value / step + 1);
          error += rowError * weight * unit * (1 + relative);
          bound[h * latentDim + j] += error;
        }
      });
    }
  }
  return bound;
}
