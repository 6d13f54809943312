// Attention of many tokens in expanded form (prefill): keys and values of each head, one tile of
// positions after another. Start, add every tile once, finish. Except for f32's rounding, the
// result does not depend on the tiles.
import {
  COUNT,
  END_HEAD,
  FIRST_HEAD,
  gatherRows,
  HEADS,
  NOPE_DIM,
  QUERY_POSITION,
  ROPE_DIM,
  SCALE,
  TILE_POSITION,
  VALUE_DIM,
} from "./expanded-tile";
import { finishSoftmax, SCORE_ROW, SOFTMAX_STATE, softmaxTile, startSoftmax, TILE } from "./tile";
import { scoreTileF32 } from "./tile-f32-scores";
import { valueTileF32 } from "./tile-f32-values";

/** Queries whose scores are in scratch at a time. */
const QUERIES: i32 = 16;

/**
 * Starts without positions, for heads firstHead .. endHead.
 *
 *   out     f32[n, heads, valueDim]    out: zeros
 *   state   softmax states [heads, n]  out (tile.ts)
 *   tile    ExpandedTile (expanded-tile.ts)
 */
export function attendExpandedStart(out: usize, state: usize, tile: usize): void {
  const queries = load<i32>(tile);
  const first = load<i32>(tile, FIRST_HEAD);
  const count = load<i32>(tile, END_HEAD) - first;
  const bytes = <usize>load<i32>(tile, VALUE_DIM) << 2;
  out += <usize>first * bytes;
  for (let i = 0; i < queries; i++, out += <usize>load<i32>(tile, HEADS) * bytes) {
    memory.fill(out, 0, <usize>count * bytes);
  }
  startSoftmax(state + <usize>(first * queries) * SOFTMAX_STATE, count * queries);
}

/**
 * Adds a tile of positions, for heads firstHead .. endHead: query i sees those up to
 * queryPosition + i.
 *
 *   out       f32[n, heads, valueDim]            in and out: sums so far
 *   state     softmax states [heads, n]          in and out
 *   q         f32[n, heads, nopeDim + ropeDim]   roped
 *   kv        f32[count, heads, nopeDim + valueDim]   kv_b times the tile's latents
 *   kPe       f32[ropeDim] at kPe + t * kPeStride     roped, shared by the heads
 *   tile      ExpandedTile
 *   scratch   attendExpandedScratchBytes bytes (src/kernels/packed.ts)
 *
 * Requires nopeDim and ropeDim multiples of 4, valueDim of 8; out, state and scratch apart from
 * each other and the rest. Any count, any alignment.
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
  for (let h = load<i32>(tile, FIRST_HEAD); h < load<i32>(tile, END_HEAD); h++) {
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

/**
 * out = sums / their softmax's sum, for heads firstHead .. endHead
 *
 *   out     f32[n, heads, valueDim]    in and out
 *   state   softmax states [heads, n]
 *   tile    ExpandedTile
 *
 * Requires that every query has seen at least one position, its own.
 */
export function attendExpandedFinish(out: usize, state: usize, tile: usize): void {
  const queries = load<i32>(tile);
  const heads = load<i32>(tile, HEADS);
  const valueDim = load<i32>(tile, VALUE_DIM);
  for (let i = 0; i < queries; i++) {
    for (let h = load<i32>(tile, FIRST_HEAD); h < load<i32>(tile, END_HEAD); h++) {
      const at = out + (<usize>((i * heads + h) * valueDim) << 2);
      finishSoftmax(at, state + <usize>(h * queries + i) * SOFTMAX_STATE, valueDim);
    }
  }
}
