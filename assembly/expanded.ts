// Attention of many tokens in expanded form (prefill): keys and values of each head, tile by tile of
// positions. Start, give every tile of positions once, finish; the result does not depend on the
// tiles' sizes but for the rounding of f32.
import {
  finishSoftmax,
  SCORE_ROW,
  SOFTMAX_STATE,
  softmaxTile,
  startSoftmax,
  TILE,
} from "./tile";
import { scoreTileF32, valueTileF32 } from "./tile-f32";

//   ExpandedTile, 40 bytes
//   +----------------------------------------------------------------+
//   |  0  i32  queries, n                                            |
//   |  4  i32  heads                                                 |
//   |  8  i32  nopeDim, qk_nope_head_dim                             |
//   | 12  i32  ropeDim, qk_rope_head_dim                             |
//   | 16  i32  valueDim, v_head_dim                                  |
//   | 20  f32  scale, 1 / sqrt(qk_head_dim)                          |
//   | 24  i32  queryPosition: the position of the first query        |
//   | 28  i32  tilePosition: the position of the tile's first row    |
//   | 32  i32  count: the tile's positions                           |
//   | 36  i32  kPeStride: elements from one row of kPe to the next   |
//   +----------------------------------------------------------------+
const HEADS: usize = 4;
const NOPE_DIM: usize = 8;
const ROPE_DIM: usize = 12;
const VALUE_DIM: usize = 16;
const SCALE: usize = 20;
const QUERY_POSITION: usize = 24;
const TILE_POSITION: usize = 28;
const COUNT: usize = 32;
const K_PE_STRIDE: usize = 36;

/** Queries whose scores are in scratch at a time. */
const QUERIES: i32 = 16;

/** Bytes of scratch that attendExpandedTile needs. */
export function attendExpandedScratchBytes(nopeDim: i32, ropeDim: i32, valueDim: i32): i32 {
  return TILE * 4 * (nopeDim + ropeDim + valueDim) + QUERIES * <i32>SCORE_ROW;
}

/** Bytes of softmax state for this many queries and heads. */
export function attendExpandedStateBytes(queries: i32, heads: i32): i32 {
  return queries * heads * <i32>SOFTMAX_STATE;
}

/**
 * No position yet.
 *
 *   out     f32[n, heads, valueDim]    out: zeros
 *   state   softmax states [heads, n]  out (tile.ts)
 *   tile    ExpandedTile: queries, heads and valueDim matter
 */
export function attendExpandedStart(out: usize, state: usize, tile: usize): void {
  const total = load<i32>(tile) * load<i32>(tile, HEADS);
  memory.fill(out, 0, (<usize>total * <usize>load<i32>(tile, VALUE_DIM)) << 2);
  startSoftmax(state, total);
}

/**
 * Takes in a tile of positions: query i sees those up to queryPosition + i.
 *
 *   out       f32[n, heads, valueDim]            in and out: sums so far
 *   state     softmax states [heads, n]          in and out
 *   q         f32[n, heads, nopeDim + ropeDim]   roped
 *   kv        f32[count, heads, nopeDim + valueDim]   kv_b times the tile's latents
 *   kPe       f32[ropeDim] at kPe + t * kPeStride     roped, shared by the heads
 *   tile      ExpandedTile
 *   scratch   attendExpandedScratchBytes bytes
 *
 * Requires nopeDim and ropeDim multiples of 4, valueDim of 8; any count; out, state and scratch apart
 * from each other and the rest. Any alignment.
 */
export function attendExpandedTile(
  out: usize,
  state: usize,
  q: usize,
  kv: usize,
  kPe: usize,
  tile: usize,
  scratch: usize,
): void {
  const queries = load<i32>(tile);
  const heads = load<i32>(tile, HEADS);
  const qkDim = load<i32>(tile, NOPE_DIM) + load<i32>(tile, ROPE_DIM);
  const valueDim = load<i32>(tile, VALUE_DIM);
  const scale = load<f32>(tile, SCALE);
  const rowBytes = <usize>(qkDim + valueDim) << 2;
  const qBytes = <usize>(heads * qkDim) << 2;
  const outBytes = <usize>(heads * valueDim) << 2;
  const scores = scratch + <usize>TILE * rowBytes;
  for (let h = 0; h < heads; h++) {
    const states = state + <usize>(h * queries) * SOFTMAX_STATE;
    const headQ = q + (<usize>(h * qkDim) << 2);
    const headOut = out + (<usize>(h * valueDim) << 2);
    for (let first = 0; first < load<i32>(tile, COUNT); first += TILE) {
      const count = min(TILE, load<i32>(tile, COUNT) - first);
      // Positions that query i sees here: ahead + i, if that is above 0.
      const ahead = load<i32>(tile, QUERY_POSITION) + 1 - load<i32>(tile, TILE_POSITION) - first;
      if (ahead + queries <= 1) break;
      gatherRows(scratch, kv, kPe, tile, h, first, count);
      for (let i = max(0, 1 - ahead); i < queries; i += QUERIES) {
        const n = min(QUERIES, queries - i);
        const seen = min(count, ahead + i + n - 1);
        scoreTileF32(scores, headQ + <usize>i * qBytes, qBytes, n, scratch, rowBytes, seen, qkDim);
        for (let j = 0; j < n; j++) {
          const row = scores + <usize>j * SCORE_ROW;
          const visible = min(seen, ahead + i + j);
          softmaxTile(row, states + <usize>(i + j) * SOFTMAX_STATE, visible, scale);
          memory.fill(row + (<usize>visible << 2), 0, <usize>(seen - visible) << 2);
        }
        const values = scratch + (<usize>qkDim << 2);
        const target = headOut + <usize>i * outBytes;
        valueTileF32(target, outBytes, scores, n, values, rowBytes, seen, valueDim);
      }
    }
  }
}

/** Rows [k_nope | k_pe | v] of head h, one after another: the heads' own rows are too far apart. */
function gatherRows(
  target: usize,
  kv: usize,
  kPe: usize,
  tile: usize,
  h: i32,
  first: i32,
  count: i32,
): void {
  const nopeBytes = <usize>load<i32>(tile, NOPE_DIM) << 2;
  const ropeBytes = <usize>load<i32>(tile, ROPE_DIM) << 2;
  const valueBytes = <usize>load<i32>(tile, VALUE_DIM) << 2;
  const headBytes = nopeBytes + valueBytes;
  const heads = <usize>load<i32>(tile, HEADS);
  const kPeBytes = <usize>load<i32>(tile, K_PE_STRIDE) << 2;
  for (let t = <usize>first; t < <usize>(first + count); t++) {
    const source = kv + (t * heads + <usize>h) * headBytes;
    memory.copy(target, source, nopeBytes);
    memory.copy(target + nopeBytes, kPe + t * kPeBytes, ropeBytes);
    memory.copy(target + nopeBytes + ropeBytes, source + nopeBytes, valueBytes);
    target += nopeBytes + ropeBytes + valueBytes;
  }
}

/**
 * out = sums / their softmax's sum
 *
 *   out     f32[n, heads, valueDim]    in and out
 *   state   softmax states [heads, n]
 *   tile    ExpandedTile: queries, heads and valueDim matter
 *
 * Requires that every query has seen a position, its own at the least.
 */
export function attendExpandedFinish(out: usize, state: usize, tile: usize): void {
  const queries = load<i32>(tile);
  const heads = load<i32>(tile, HEADS);
  const valueDim = load<i32>(tile, VALUE_DIM);
  for (let i = 0; i < queries; i++) {
    for (let h = 0; h < heads; h++) {
      finishSoftmax(out, state + <usize>(h * queries + i) * SOFTMAX_STATE, valueDim);
      out += <usize>valueDim << 2;
    }
  }
}
