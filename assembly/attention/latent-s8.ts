// Attention of one token over one tile of q8_0 rows, with the relaxed dot (latent.ts).
import { Q8_0_BLOCK } from "./cache";
import { copyRows } from "./cache-unpack";
import { LATENT_DIM, ROPE_DIM, SCALE, STRIDE, UNSCORED } from "./latent-shape";
import { softmaxHeads } from "./tile-i16-softmax";
import { packBlocks, queryGroupBytes, scaleBytes, tileScratchBytes } from "./tile-s8";
import { readScales } from "./tile-s8-scales";
import { scoreTileS8 } from "./tile-s8-scores";
import { valueTileS8 } from "./tile-s8-values";

/** to = groups of queries of f32[heads, latentDim + ropeDim - unscored]; returns their end. */
export function packQueriesS8(to: usize, q: usize, shape: usize): usize {
  const heads = load<i32>(shape);
  const latentBlocks = (load<i32>(shape, LATENT_DIM) - load<i32>(shape, UNSCORED)) >> 5;
  const ropeBlocks = load<i32>(shape, ROPE_DIM) >> 5;
  packBlocks(to, q, heads, latentBlocks, ropeBlocks, load<f32>(shape, SCALE));
  return to + <usize>((heads + 3) >> 2) * queryGroupBytes(latentBlocks, ropeBlocks);
}

/**
 * Adds a tile of positions.
 *
 *   out      f32[heads, latentDim]   in and out: sums so far
 *   q        groups of queries
 *   states   states of groups        in and out
 *   rows     q8_0 rows[count]
 *   shape    LatentShape
 *   scores   groups of scores        scratch
 *   tile     scales of a tile, then its kernels' scratch, then 64 rows           scratch
 *
 * Requires 1 <= count <= 64.
 */
export function attendTileS8(
  out: usize,
  q: usize,
  states: usize,
  rows: usize,
  count: i32,
  shape: usize,
  scores: usize,
  tile: usize,
): void {
  const heads = load<i32>(shape);
  const latentBlocks = load<i32>(shape, LATENT_DIM) >> 5;
  const ropeBlocks = load<i32>(shape, ROPE_DIM) >> 5;
  const unscored = load<i32>(shape, UNSCORED) >> 5;
  const stride = <usize>load<i32>(shape, STRIDE);
  const rowBytes = <usize>(latentBlocks + ropeBlocks) * Q8_0_BLOCK;
  const groups = (heads + 3) >> 2;
  const whole = (count + 7) & ~7;
  if (count != whole || stride != rowBytes) {
    const copy = tile + scaleBytes(latentBlocks, ropeBlocks) + tileScratchBytes(rowBytes);
    copyRows(copy, rows, stride, rowBytes, count);
    // Rows that fill up the last tile, which no head sees.
    memory.fill(copy + <usize>count * rowBytes, 0, <usize>(whole - count) * rowBytes);
    rows = copy;
  }
  readScales(tile, rows, whole, latentBlocks, ropeBlocks);
  scoreTileS8(scores, q, groups, rows, tile, whole, unscored, latentBlocks, ropeBlocks);
  softmaxHeads(scores, states, groups, whole, count, tile, 4);
  valueTileS8(out, scores, heads, rows, tile, whole, latentBlocks, ropeBlocks);
}
