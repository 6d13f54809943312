// Attention over one tile of q8_0 rows with the relaxed dot: what its kernels (tile-s8-*.ts) share.
// The cache's values are multiplied as they are, block by block: for scores by queries of 8 or 16
// bits over a scale for every 32 dims, for sums by weights of 14 bits that include the block's
// scale. Scores, weights and states are in groups, as in tile-i16.ts. A query's 8 bits are rounded
// as in planes.ts.
//
//   stream of four queries, 32 dims, 160 bytes             planes   a value is    scales
//   +------------------------------------------------+     1        s8            max / 116 to 127
//   |  0  f32[4]  scales                             |     2        256 s8 + s8   max / 32639 * 256
//   | 16  i32[4]  what the sums of the values add    |                            and max / 32639
//   | 32  s8[8][4 queries][4]                        |
//   +------------------------------------------------+     a group: streams [blocks][planes],
//                                                            16 bytes unused
//
//   scales of a tile: R latent and D rope blocks of its 64 positions
//   +------------------------------------------------+
//   |    0  f32[64]         a row's largest of R     |
//   |  256  f32[R + D][64]  scales                   |
//   |       i16[R][64]      16383 scale / largest    |
//   +------------------------------------------------+
import { roundToI16 } from "../lanes";
import { nearest } from "../linear/planes";
import { cellBias } from "../reading";
import { factorFor, highBytes, largestOf32, lowBytes, sumOf16 } from "../linear/quantize";

/** Bytes of a stream, and offsets of its sums and of its values. */
export const STREAM: usize = 160;
export const STREAM_START: usize = 16;
export const STREAM_CELLS: usize = 32;
/** Bytes of a tile's scales before those of the first block, and of a block. */
export const TILE_SCALES: usize = 256;
/** Bytes of a block's ratios. */
export const TILE_RATIOS: usize = 128;
/** Bytes of a block of a tile, transposed. */
const TRANSPOSED: usize = 2048;

/**
 * Bytes of a group of queries: one plane of the latent part, two of the rope part. Never as many as
 * one stream's, so that the step tells a plane from a group.
 */
// @ts-ignore: decorator
@inline
export function queryGroupBytes(latentBlocks: i32, ropeBlocks: i32): usize {
  return <usize>(latentBlocks + 2 * ropeBlocks) * STREAM + 16;
}

/** Bytes of the scales of a tile. */
// @ts-ignore: decorator
@inline
export function scaleBytes(latentBlocks: i32, ropeBlocks: i32): usize {
  return (
    <usize>(latentBlocks + ropeBlocks + 1) * TILE_SCALES + <usize>latentBlocks * TILE_RATIOS
  );
}

/** Bytes of the scratch behind the scales of a tile: four rows, or a transposed block. */
// @ts-ignore: decorator
@inline
export function tileScratchBytes(rowBytes: usize): usize {
  return max(rowBytes << 2, TRANSPOSED);
}

/**
 * to = groups of queries, times scale
 *
 *   to   groups of queries[ceil(queries / 4)]   out
 *   q    f32[queries, 32 (latentBlocks + ropeBlocks)]
 *
 * Requires queries >= 1. A block with a NaN or infinity has a scale that is not finite.
 */
export function packBlocks(
  to: usize,
  q: usize,
  queries: i32,
  latentBlocks: i32,
  ropeBlocks: i32,
  scale: f32,
): void {
  const lanes = (queries + 3) & ~3;
  const bytes = <usize>(latentBlocks + ropeBlocks) << 7;
  for (let i = 0; i < lanes; i++) {
    let x = q + <usize>min(i, queries - 1) * bytes;
    let stream = to + (<usize>(i & 3) << 2);
    for (let b = 0; b < latentBlocks + ropeBlocks; b++, x += 128) {
      stream = packBlock(stream, x, scale, b < latentBlocks ? 1 : 2);
    }
    if ((i & 3) == 3) to += queryGroupBytes(latentBlocks, ropeBlocks);
  }
}

/**
 * One query's lane of a block's streams; returns the address of the next. A single plane equals the
 * low one of two, and overwrites the high one.
 */
function packBlock(to: usize, x: usize, scale: f32, planes: i32): usize {
  const largest = largestOf32(x);
  const most: f32 = planes == 1 ? nearest(x, largest) : 32639;
  const factor = factorFor(largest, most);
  const low = to + (planes == 1 ? 0 : STREAM);
  const unit = (largest / most) * scale;
  store<f32>(to, unit * 256);
  store<f32>(low, unit);
  let sum = 0;
  let highSum = 0;
  for (let i: usize = 0; i < 128; i += 64) {
    const first = roundToI16(v128.load(x + i), v128.load(x + i, 16), factor);
    const second = roundToI16(v128.load(x + i, 32), v128.load(x + i, 48), factor);
    const highs = highBytes(first, second);
    storeWords(to + STREAM_CELLS + i, highs);
    storeWords(low + STREAM_CELLS + i, lowBytes(first, second));
    sum += sumOf16(first, second);
    highSum += sumOf16(i16x8.extend_low_i8x16_s(highs), i16x8.extend_high_i8x16_s(highs));
  }
  const bias = cellBias();
  store<i32>(to, highSum * bias, STREAM_START);
  store<i32>(low, (sum - (planes == 1 ? 0 : 256 * highSum)) * bias, STREAM_START);
  return low + STREAM;
}

/** Four words, 16 bytes apart. */
function storeWords(to: usize, words: v128): void {
  v128.store32_lane(to, words, 0);
  v128.store32_lane(to, words, 1, 16);
  v128.store32_lane(to, words, 2, 32);
  v128.store32_lane(to, words, 3, 48);
}
