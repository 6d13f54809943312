// Attention of many tokens in expanded form, as in expanded.ts, but in integers: queries, keys and
// a tile's weights as in tile-i16.ts, a value over one scale. For all caches except f32.
import { I16_HEADER, storeI16, storeLatentI16 } from "./cache";
import {
  COUNT,
  END_HEAD,
  FIRST_HEAD,
  HEADS,
  K_PE_STRIDE,
  NOPE_DIM,
  QUERY_POSITION,
  ROPE_DIM,
  SCALE,
  TILE_POSITION,
  VALUE_DIM,
} from "./expanded-tile";
import {
  finishQuery,
  groupBytes,
  GROUP_SCORES,
  GROUP_STATE,
  packQueries,
  startGroups,
  TILE_I16,
} from "./tile-i16";
import { scoreTileI16 } from "./tile-i16-scores";
import { softmaxTileI16 } from "./tile-i16-softmax";
import { valueTileI16 } from "./tile-i16-values";

/** Groups of queries whose scores are in scratch at a time. */
const GROUPS: i32 = 4;

/** Groups of a head's queries. */
function groupsOf(tile: usize): i32 {
  return (load<i32>(tile) + 3) >> 2;
}

/** Bytes of a head's packed queries. */
function packedBytes(tile: usize): usize {
  const dims = load<i32>(tile, NOPE_DIM) + load<i32>(tile, ROPE_DIM);
  return <usize>groupsOf(tile) * groupBytes(dims);
}

/**
 * Starts without positions, for heads firstHead .. endHead.
 *
 *   out      f32[n, heads, valueDim]               out: zeros
 *   state    states of groups [heads, ceil(n / 4)]             out (tile-i16.ts)
 *   packed   groups of queries [heads, ceil(n / 4)]            out
 *   q        f32[n, heads, nopeDim + ropeDim]      roped
 *   tile     ExpandedTile (expanded-tile.ts)
 *
 * Requires nopeDim and ropeDim multiples of 8.
 */
export function attendExpandedStartI16(
  out: usize,
  state: usize,
  packed: usize,
  q: usize,
  tile: usize,
): void {
  const queries = load<i32>(tile);
  const heads = load<i32>(tile, HEADS);
  const nopeDim = load<i32>(tile, NOPE_DIM);
  const ropeDim = load<i32>(tile, ROPE_DIM);
  const qBytes = <usize>(nopeDim + ropeDim) << 2;
  const outBytes = <usize>load<i32>(tile, VALUE_DIM) << 2;
  for (let h = <usize>load<i32>(tile, FIRST_HEAD); h < <usize>load<i32>(tile, END_HEAD); h++) {
    const to = packed + h * packedBytes(tile);
    const scale = load<f32>(tile, SCALE);
    packQueries(to, q + h * qBytes, <usize>heads * qBytes, queries, nopeDim, ropeDim, scale);
    startGroups(state + h * <usize>groupsOf(tile) * GROUP_STATE, groupsOf(tile));
    for (let i: usize = 0; i < <usize>queries; i++) {
      memory.fill(out + (i * heads + h) * outBytes, 0, outBytes);
    }
  }
}

/**
 * Adds a tile of positions, as attendExpandedTile does.
 *
 *   out       f32[n, heads, valueDim]              in and out: sums so far
 *   state     states of groups                     in and out
 *   packed    groups of queries
 *   kv        f32[count, heads, nopeDim + valueDim]   kv_b times the tile's latents
 *   kPe       f32[ropeDim] at kPe + t * kPeStride     roped, shared by the heads
 *   tile      ExpandedTile
 *   scratch   attendExpandedScratchBytes bytes (src/kernels/packed.ts)
 *
 * Requires multiples of 8; out, state and scratch apart from each other and the rest.
 */
export function attendExpandedTileI16(
  out: usize,
  state: usize,
  packed: usize,
  kv: usize,
  kPe: usize,
  tile: usize,
  scratch: usize,
): void {
  const outBytes = <usize>load<i32>(tile, VALUE_DIM) << 2;
  for (let h = load<i32>(tile, FIRST_HEAD); h < load<i32>(tile, END_HEAD); h++) {
    const states = state + <usize>(h * groupsOf(tile)) * GROUP_STATE;
    const queries = packed + <usize>h * packedBytes(tile);
    for (let first = 0; first < load<i32>(tile, COUNT); first += TILE_I16) {
      // Positions that query i sees here: ahead + i, if that is above 0.
      const ahead = load<i32>(tile, QUERY_POSITION) + 1 - load<i32>(tile, TILE_POSITION) - first;
      if (ahead + load<i32>(tile) <= 1) break;
      const count = packRows(scratch, kv, kPe, tile, h, first);
      attendRows(out + <usize>h * outBytes, states, queries, tile, scratch, count, ahead);
    }
  }
}

/** Head h's rows of keys, then those of values, of up to 64 positions; returns how many. */
function packRows(to: usize, kv: usize, kPe: usize, tile: usize, h: i32, first: i32): i32 {
  const count = min(TILE_I16, load<i32>(tile, COUNT) - first);
  const nopeDim = load<i32>(tile, NOPE_DIM);
  const ropeDim = load<i32>(tile, ROPE_DIM);
  const valueDim = load<i32>(tile, VALUE_DIM);
  const keyBytes = I16_HEADER + (<usize>(nopeDim + ropeDim) << 1);
  const valueBytes = I16_HEADER + (<usize>valueDim << 1);
  const stride = <usize>load<i32>(tile, HEADS) * (nopeDim + valueDim) << 2;
  const kPeBytes = <usize>load<i32>(tile, K_PE_STRIDE) << 2;
  let values = to + <usize>TILE_I16 * keyBytes;
  kv += <usize>first * stride + (<usize>(h * (nopeDim + valueDim)) << 2);
  kPe += <usize>first * kPeBytes;
  for (let t = 0; t < count; t++) {
    storeLatentI16(to, kv, nopeDim, kPe, ropeDim);
    store<f32>(values, storeI16(values + I16_HEADER, kv + (<usize>nopeDim << 2), valueDim));
    to += keyBytes;
    values += valueBytes;
    kv += stride;
    kPe += kPeBytes;
  }
  // Rows that fill up a group of four, which no query sees.
  const rest = <usize>(-count & 3);
  memory.fill(to, 0, rest * keyBytes);
  memory.fill(values, 0, rest * valueBytes);
  return count;
}

/** One head's queries that see any of the rows, 16 at a time. */
function attendRows(
  out: usize,
  states: usize,
  packed: usize,
  tile: usize,
  rows: usize,
  count: i32,
  ahead: i32,
): void {
  const queries = load<i32>(tile);
  const nopeDim = load<i32>(tile, NOPE_DIM);
  const ropeDim = load<i32>(tile, ROPE_DIM);
  const valueDim = load<i32>(tile, VALUE_DIM);
  const outBytes = <usize>(load<i32>(tile, HEADS) * valueDim) << 2;
  const rowBytes = I16_HEADER + (<usize>(nopeDim + ropeDim) << 1);
  const values = rows + <usize>TILE_I16 * rowBytes;
  const valueBytes = I16_HEADER + (<usize>valueDim << 1);
  const scores = values + <usize>TILE_I16 * valueBytes;
  // Queries that fill up the last group see what the last one sees.
  const most = min(ahead + queries - 1, count);
  for (let i = max(0, 1 - ahead) & ~3; i < queries; i += 4 * GROUPS) {
    const n = min(4 * GROUPS, queries - i);
    const groups = (n + 3) >> 2;
    const seen = (min(count, ahead + i + n - 1) + 3) & ~3;
    const from = packed + <usize>(i >> 2) * groupBytes(nopeDim + ropeDim);
    scoreTileI16(scores, from, groups, rows, rowBytes, seen, 0, nopeDim, ropeDim);
    // Values a group at a time: more rows of out may not fit in the cache set that they share.
    for (let g = 0; g < groups; g++) {
      const at = states + <usize>((i >> 2) + g) * GROUP_STATE;
      const row = scores + <usize>g * GROUP_SCORES;
      const target = out + <usize>(i + 4 * g) * outBytes;
      softmaxTileI16(row, at, seen, ahead + i + 4 * g, most, values, valueBytes);
      const some = min(4, n - 4 * g);
      valueTileI16(target, outBytes, row, some, values + I16_HEADER, valueBytes, seen, valueDim);
    }
  }
}

/**
 * out = sums / their softmax's sum, for heads firstHead .. endHead
 *
 *   out     f32[n, heads, valueDim]    in and out
 *   state   states of groups
 *   tile    ExpandedTile
 *
 * Requires that every query has seen at least one position, its own.
 */
export function attendExpandedFinishI16(out: usize, state: usize, tile: usize): void {
  const heads = load<i32>(tile, HEADS);
  const valueDim = load<i32>(tile, VALUE_DIM);
  for (let i = 0; i < load<i32>(tile); i++) {
    for (let h = load<i32>(tile, FIRST_HEAD); h < load<i32>(tile, END_HEAD); h++) {
      const group = state + <usize>(h * groupsOf(tile) + (i >> 2)) * GROUP_STATE;
      finishQuery(out + (<usize>((i * heads + h) * valueDim) << 2), group, i & 3, valueDim);
    }
  }
}
