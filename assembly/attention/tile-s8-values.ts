// Values of one tile of q8_0 rows: groups of weights against a block of the cache (tile-s8.ts).
import { Q8_0_BLOCK } from "./cache";
import { bytesHigh, bytesLow, dot8, multiplyQ15, pairHigh, pairLow } from "../lanes";
import { GROUP_SCORES } from "./tile-i16";
import { scaleAdd } from "./tile-i16-values";
import { scaleBytes, TILE_RATIOS } from "./tile-s8";

/** Bytes of the transposed values of four positions. */
const FOUR: usize = 128;
/** Offset in a group of scores of a block's weights: u8[16][high, low][4 queries][4 positions]. */
const PLANES: usize = 512;

/**
 * out_i = factor_i out_i + scale_i (sum over t of weight[i][t] row_t)
 *
 *   out       f32[queries, 32 latentBlocks]         in and out
 *   scores    groups of scores[ceil(queries / 4)]   after softmaxTileI16; overwritten
 *   rows      q8_0 rows[count]
 *   tile      their scales (readScales); scratch behind them
 *
 * Requires queries >= 1, count a multiple of 4 and at most 64.
 */
export function valueTileS8(
  out: usize,
  scores: usize,
  queries: i32,
  rows: usize,
  tile: usize,
  count: i32,
  latentBlocks: i32,
  ropeBlocks: i32,
): void {
  const rowBytes = <usize>(latentBlocks + ropeBlocks) * Q8_0_BLOCK;
  const outBytes = <usize>latentBlocks << 7;
  const scoresEnd = scores + <usize>((queries + 3) >> 2) * GROUP_SCORES;
  const values = tile + scaleBytes(latentBlocks, ropeBlocks);
  let ratios = values - <usize>latentBlocks * TILE_RATIOS;
  for (let group = scores; group < scoresEnd; group += GROUP_SCORES) joinFours(group, count);
  for (; ratios < values; ratios += TILE_RATIOS, rows += Q8_0_BLOCK, out += 128) {
    transposeBlock(values, rows + 2, rowBytes, count);
    for (let group = scores; group < scoresEnd; group += GROUP_SCORES) {
      scaleWeights(group, ratios, count);
    }
    addBlock(out, outBytes, scores, queries, values, count);
  }
}

/** i16[32][4][2] weights of pairs of positions become i16[16][4][4] of fours. */
// @ts-ignore: decorator
@inline
function joinFours(group: usize, count: i32): void {
  for (const end = group + (<usize>count << 3); group < end; group += 32) {
    const a = v128.load(group);
    const b = v128.load(group, 16);
    v128.store(group, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
    v128.store(group, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
  }
}

/** A block's s8[count / 4][32 dims][4 positions]. */
// @ts-ignore: decorator
@inline
function transposeBlock(to: usize, values: usize, rowBytes: usize, count: i32): void {
  for (const end = to + (<usize>count << 5); to < end; to += FOUR, values += rowBytes << 2) {
    transpose16(to, values, rowBytes);
    transpose16(to + 64, values + 16, rowBytes);
  }
}

// @ts-ignore: decorator
@inline
function transpose16(to: usize, values: usize, rowBytes: usize): void {
  const a = v128.load(values);
  const b = v128.load(values + rowBytes);
  const c = v128.load(values + 2 * rowBytes);
  const d = v128.load(values + 3 * rowBytes);
  const abLow = bytesLow(a, b);
  const cdLow = bytesLow(c, d);
  v128.store(to, pairLow(abLow, cdLow));
  v128.store(to, pairHigh(abLow, cdLow), 16);
  const abHigh = bytesHigh(a, b);
  const cdHigh = bytesHigh(c, d);
  v128.store(to, pairLow(abHigh, cdHigh), 32);
  v128.store(to, pairHigh(abHigh, cdHigh), 48);
}

/** A block's weights: a group's times the block's ratios, in planes of bytes. */
// @ts-ignore: decorator
@inline
function scaleWeights(group: usize, ratios: usize, count: i32): void {
  for (const end = group + (<usize>count << 3); group < end; group += 32, ratios += 8) {
    const four = v128.load64_splat(ratios);
    const a = multiplyQ15(v128.load(group), four);
    const b = multiplyQ15(v128.load(group, 16), four);
    const high = i8x16.narrow_i16x8_u(i16x8.shr_u(a, 7), i16x8.shr_u(b, 7));
    const low = i8x16.narrow_i16x8_u(lowBits(a), lowBits(b));
    v128.store(group, high, PLANES);
    v128.store(group, low, PLANES + 16);
  }
}

/** The low 7 bits of each i16. */
// @ts-ignore: decorator
@inline
function lowBits(a: v128): v128 {
  return v128.and(a, i16x8.splat(127));
}

/** Adds 32 dims of all queries, 16 of one query at a time. */
// @ts-ignore: decorator
@inline
function addBlock(
  out: usize,
  outBytes: usize,
  scores: usize,
  queries: i32,
  values: usize,
  count: i32,
): void {
  for (let i = 0; i < queries; i++, out += outBytes) {
    const query = scores + <usize>(i >> 2) * GROUP_SCORES + (<usize>(i & 3) << 2);
    for (let half: usize = 0; half < 128; half += 64) {
      let high0 = i32x4.splat(0);
      let high1 = high0;
      let high2 = high0;
      let high3 = high0;
      let low0 = high0;
      let low1 = high0;
      let low2 = high0;
      let low3 = high0;
      let weights = query;
      let four = values + half;
      for (const end = four + (<usize>count << 5); four < end; four += FOUR, weights += 32) {
        const high = v128.load32_splat(weights, PLANES);
        const low = v128.load32_splat(weights, PLANES + 16);
        const v0 = v128.load(four);
        high0 = dot8(v0, high, high0);
        low0 = dot8(v0, low, low0);
        const v1 = v128.load(four, 16);
        high1 = dot8(v1, high, high1);
        low1 = dot8(v1, low, low1);
        const v2 = v128.load(four, 32);
        high2 = dot8(v2, high, high2);
        low2 = dot8(v2, low, low2);
        const v3 = v128.load(four, 48);
        high3 = dot8(v3, high, high3);
        low3 = dot8(v3, low, low3);
      }
      addPlanes(out + half, query, high0, low0);
      addPlanes(out + half + 16, query, high1, low1);
      addPlanes(out + half + 32, query, high2, low2);
      addPlanes(out + half + 48, query, high3, low3);
    }
  }
}

/** Adds sums of planes to the four floats at out, as scaleAdd does. */
// @ts-ignore: decorator
@inline
function addPlanes(out: usize, query: usize, high: v128, low: v128): void {
  v128.store(out, scaleAdd(out, query, i32x4.add(i32x4.shl(high, 7), low)));
}
