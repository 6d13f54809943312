// Values of one tile of attention in 14-bit integers: several heads' weights against i16 rows of
// the latent cache (cache.ts). The last head or row of an odd number is computed twice.
import { I16_MAX, SMALLEST_AMAX } from "./cache";
import { largestLaneOrNaN } from "./exp";
import { SCORE_FACTOR, SCORE_ROW, SCORE_SCALE } from "./tile";

// Both factors are at most 8191 in magnitude, and an i32 lane adds up a tile's 32 products before
// it becomes f32: 32 * 8191^2 = 2,146,959,392 is below 2^31 = 2,147,483,648.

/**
 * A score row's weights as integers: e^(score - max) times the scale of the position's latent, over
 * one scale for the tile. With the latent's scale inside, a large weight on a position of small
 * values takes no bits from the others.
 *
 *   row      score row after softmaxTile   f32[count] in; i16[count] and their scale out
 *   scales   f32[32]   the latent scales of the tile's rows
 *
 * Requires 1 <= count <= 32; weights are 0 up to the next multiple of 4.
 */
export function weightTileI16(row: usize, scales: usize, count: i32): void {
  const end = <usize>((count + 3) & ~3) << 2;
  let largest = f32x4.splat(0);
  for (let t: usize = 0; t < end; t += 16) {
    const weight = f32x4.mul(v128.load(row + t), v128.load(scales + t));
    v128.store(row + t, weight);
    largest = f32x4.max(largest, weight);
  }
  const amax = largestLaneOrNaN(largest);
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : I16_MAX / amax);
  // In place: the integers never overtake the floats.
  for (let t: usize = 0; t < end; t += 16) {
    const weight = f32x4.nearest(f32x4.mul(v128.load(row + t), inverse));
    const words = i32x4.trunc_sat_f32x4_s(weight);
    v128.store64_lane(row + (t >> 1), i16x8.narrow_i32x4_s(words, words), 0);
  }
  store<f32>(row, amax < SMALLEST_AMAX ? 0 : amax / I16_MAX, SCORE_SCALE);
}

/**
 * out_h = factor_h out_h + scale_h (sum over t of weight[h][t] row_t)
 *
 *   out      f32[dims] at out + h * outBytes   in and out
 *   scores   score rows[heads] after weightTileI16
 *   values   i16[dims] at values + t * rowBytes
 *
 * Requires heads >= 1, 1 <= count <= 32, dims % 8 == 0, |values| <= 8191.
 */
export function valueTileI16(
  out: usize,
  outBytes: usize,
  scores: usize,
  heads: i32,
  values: usize,
  rowBytes: usize,
  count: i32,
  dims: i32,
): void {
  const pairBytes = <usize>((count + 1) >> 1) << 2;
  const lastRow = <usize>(count - 1) * rowBytes;
  for (let h = 0; h < heads; h += 4) {
    const h1 = min(h + 1, heads - 1);
    const h2 = min(h + 2, heads - 1);
    const h3 = min(h + 3, heads - 1);
    const weights0 = scores + <usize>h * SCORE_ROW;
    const weights1 = scores + <usize>h1 * SCORE_ROW;
    const weights2 = scores + <usize>h2 * SCORE_ROW;
    const weights3 = scores + <usize>h3 * SCORE_ROW;
    for (let d: usize = 0; d < <usize>dims; d += 8) {
      let a0 = i32x4.splat(0);
      let a1 = i32x4.splat(0);
      let a2 = i32x4.splat(0);
      let a3 = i32x4.splat(0);
      let b0 = i32x4.splat(0);
      let b1 = i32x4.splat(0);
      let b2 = i32x4.splat(0);
      let b3 = i32x4.splat(0);
      let row = values + (d << 1);
      const last = row + lastRow;
      for (let t: usize = 0; t < pairBytes; t += 4) {
        const even = v128.load(row);
        const odd = v128.load(min(row + rowBytes, last));
        const a = v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
        const b = v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
        const w0 = v128.load32_splat(weights0 + t);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, w0));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, w0));
        const w1 = v128.load32_splat(weights1 + t);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, w1));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, w1));
        const w2 = v128.load32_splat(weights2 + t);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, w2));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, w2));
        const w3 = v128.load32_splat(weights3 + t);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, w3));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, w3));
        row += rowBytes << 1;
      }
      const out0 = out + <usize>h * outBytes + (d << 2);
      const out1 = out + <usize>h1 * outBytes + (d << 2);
      const out2 = out + <usize>h2 * outBytes + (d << 2);
      const out3 = out + <usize>h3 * outBytes + (d << 2);
      // All sums before any store, for the last outs may be the same.
      a0 = scaleAdd(out0, weights0, a0);
      b0 = scaleAdd(out0 + 16, weights0, b0);
      a1 = scaleAdd(out1, weights1, a1);
      b1 = scaleAdd(out1 + 16, weights1, b1);
      a2 = scaleAdd(out2, weights2, a2);
      b2 = scaleAdd(out2 + 16, weights2, b2);
      a3 = scaleAdd(out3, weights3, a3);
      b3 = scaleAdd(out3 + 16, weights3, b3);
      v128.store(out0, a0);
      v128.store(out0, b0, 16);
      v128.store(out1, a1);
      v128.store(out1, b1, 16);
      v128.store(out2, a2);
      v128.store(out2, b2, 16);
      v128.store(out3, a3);
      v128.store(out3, b3, 16);
    }
  }
}

/** The four floats at out times the row's factor, plus sum times its scale. */
// @ts-ignore: decorator
@inline
function scaleAdd(out: usize, row: usize, sum: v128): v128 {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load32_splat(row, SCORE_SCALE));
  return f32x4.add(f32x4.mul(v128.load(out), v128.load32_splat(row, SCORE_FACTOR)), scaled);
}
