// Scales of one tile of q8_0 rows, as tile-s8.ts draws them.
import { Q8_0_BLOCK } from "./cache";
import { roundToI16 } from "../lanes";
import { TILE_RATIOS, TILE_SCALES } from "./tile-s8";

/** 2^112, which turns the widened bits of an f16 into its value. */
const F16_REBIAS: f32 = 5192296858534827628530496329220096.0;

/**
 * The scales of a tile of rows.
 *
 *   to     scales of a tile     out, t < count
 *   rows   q8_0 rows[count]
 *
 * Requires count a multiple of 8 and at most 64, scales >= 0. With a NaN or infinity in any block
 * the largest is NaN, and the row's other scales are undefined.
 */
export function readScales(
  to: usize,
  rows: usize,
  count: i32,
  latentBlocks: i32,
  ropeBlocks: i32,
): void {
  const blocks = latentBlocks + ropeBlocks;
  const rowBytes = <usize>blocks * Q8_0_BLOCK;
  const scales = to + TILE_SCALES;
  const latentEnd = scales + <usize>latentBlocks * TILE_SCALES;
  const end = scales + <usize>blocks * TILE_SCALES;
  const rebias = f32x4.splat(F16_REBIAS);
  for (let t: usize = 0; t < <usize>count << 2; t += 32, rows += rowBytes << 3) {
    // Halves that are not negative are in the order of their bits, NaNs last.
    let largest = i16x8.splat(0);
    let rest = largest;
    let row = rows;
    for (let p = scales + t; p < end; p += TILE_SCALES, row += Q8_0_BLOCK) {
      const halves = scalesOf(row, rowBytes);
      v128.store(p, widen(i32x4.extend_low_i16x8_u(halves), rebias));
      v128.store(p, widen(i32x4.extend_high_i16x8_u(halves), rebias), 16);
      if (p < latentEnd) largest = i16x8.max_u(largest, halves);
      else rest = i16x8.max_u(rest, halves);
    }
    const infinite = i16x8.gt_u(i16x8.max_u(largest, rest), i16x8.splat(0x7bff));
    const low = widen(i32x4.extend_low_i16x8_u(largest), rebias);
    const high = widen(i32x4.extend_high_i16x8_u(largest), rebias);
    storeLargest(to + t, low, i32x4.extend_low_i16x8_s(infinite));
    storeLargest(to + t + 16, high, i32x4.extend_high_i16x8_s(infinite));
    const lowInverse = inverseOf(low);
    const highInverse = inverseOf(high);
    let ratios = end + (t >> 1);
    for (let p = scales + t; p < latentEnd; p += TILE_SCALES, ratios += TILE_RATIOS) {
      const first = f32x4.mul(v128.load(p), lowInverse);
      const second = f32x4.mul(v128.load(p, 16), highInverse);
      v128.store(ratios, roundToI16(first, second, f32x4.splat(1)));
    }
  }
}

/** The scales of one block of eight rows. */
// @ts-ignore: decorator
@inline
function scalesOf(block: usize, rowBytes: usize): v128 {
  let half = v128.load16_splat(block);
  half = v128.load16_lane((block += rowBytes), half, 1);
  half = v128.load16_lane((block += rowBytes), half, 2);
  half = v128.load16_lane((block += rowBytes), half, 3);
  half = v128.load16_lane((block += rowBytes), half, 4);
  half = v128.load16_lane((block += rowBytes), half, 5);
  half = v128.load16_lane((block += rowBytes), half, 6);
  return v128.load16_lane(block + rowBytes, half, 7);
}

// @ts-ignore: decorator
@inline
function widen(halves: v128, rebias: v128): v128 {
  return f32x4.mul(i32x4.shl(halves, 13), rebias);
}

/** Largest ratio of scales: weights of 15 bits times ratios have 14, two planes of 7. */
const MOST_RATIO: f32 = 16383;

/** A little more than a row's largest scale, for its weights. */
// @ts-ignore: decorator
@inline
function storeLargest(to: usize, largest: v128, infinite: v128): void {
  v128.store(to, v128.or(f32x4.mul(largest, f32x4.splat(32768 / MOST_RATIO)), infinite));
}

// @ts-ignore: decorator
@inline
function inverseOf(largest: v128): v128 {
  const none = f32x4.eq(largest, f32x4.splat(0));
  return v128.andnot(f32x4.div(f32x4.splat(MOST_RATIO), largest), none);
}
