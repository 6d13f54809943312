// Attention of one token over one tile of rows in integers (latent.ts).
import { I16_HEADER } from "./cache";
import { copyRows, unpackF16, unpackQ8_0 } from "./cache-unpack";
import { F16, LATENT_DIM, Q8_0, ROPE_DIM, SCALE, STRIDE, UNSCORED } from "./latent-shape";
import { groupBytes, packQueries } from "./tile-i16";
import { scoreTileI16 } from "./tile-i16-scores";
import { softmaxHeads } from "./tile-i16-softmax";
import { valueTileI16 } from "./tile-i16-values";

/** to = groups of queries of f32[heads, latentDim + ropeDim - unscored]; returns their end. */
export function packQueriesI16(to: usize, q: usize, shape: usize): usize {
  const heads = load<i32>(shape);
  const first = load<i32>(shape, LATENT_DIM) - load<i32>(shape, UNSCORED);
  const second = load<i32>(shape, ROPE_DIM);
  const qBytes = <usize>(first + second) << 2;
  packQueries(to, q, qBytes, heads, first, second, load<f32>(shape, SCALE));
  return to + <usize>((heads + 3) >> 2) * groupBytes(first + second);
}

/**
 * Adds a tile of positions.
 *
 *   out      f32[heads, latentDim]              in and out: sums so far
 *   q        groups of queries
 *   states   states of groups                   in and out
 *   rows     rows[count] of the type
 *   shape    LatentShape
 *   scores   groups of scores                   scratch
 *   i16Rows  i16 rows[count, to a multiple of 4]   scratch
 *
 * Requires 1 <= count <= 64.
 */
export function attendTileI16(
  out: usize,
  q: usize,
  states: usize,
  rows: usize,
  count: i32,
  shape: usize,
  scores: usize,
  i16Rows: usize,
  type: i32,
): void {
  const heads = load<i32>(shape);
  const latentDim = load<i32>(shape, LATENT_DIM);
  const ropeDim = load<i32>(shape, ROPE_DIM);
  const unscored = load<i32>(shape, UNSCORED);
  const stride = <usize>load<i32>(shape, STRIDE);
  const rowBytes = I16_HEADER + (<usize>(latentDim + ropeDim) << 1);
  const groups = (heads + 3) >> 2;
  const whole = (count + 3) & ~3;
  let tile = i16Rows;
  let step = rowBytes;
  if (type == F16) unpackF16(tile, rows, stride, count, latentDim, ropeDim);
  else if (!ASC_FEATURE_RELAXED_SIMD && type == Q8_0) {
    unpackQ8_0(tile, rows, stride, count, latentDim, ropeDim);
  } else if (count == whole) {
    tile = rows;
    step = stride;
  } else copyRows(tile, rows, stride, rowBytes, count);
  // Rows that fill up the last tile, which no head sees.
  if (count != whole) {
    memory.fill(tile + <usize>count * rowBytes, 0, <usize>(whole - count) * rowBytes);
  }
  scoreTileI16(scores, q, groups, tile, step, whole, unscored, latentDim - unscored, ropeDim);
  softmaxHeads(scores, states, groups, whole, count, tile, step);
  const values = tile + I16_HEADER;
  valueTileI16(out, <usize>latentDim << 2, scores, heads, values, step, whole, latentDim);
}
