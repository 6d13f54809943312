// Scores of one tile of attention in 14-bit integers: several heads against i16 rows of the latent
// cache (cache.ts). The last of an odd number is computed twice, never one beyond the end.
import { I16_HEADER } from "./cache";
import { SCORE_ROW, sumEach } from "./tile";

// Both factors are at most 8191 in magnitude, and an i32 lane adds up 32 products (16 steps of 2)
// before it becomes f32: 32 * 8191^2 = 2,146,959,392 is below 2^31 = 2,147,483,648.

/** Bytes of 128 dims, 16 steps of 8. */
const FLUSH_BYTES: usize = 256;

/** sum + the sums of the lanes of four i32x4. */
// @ts-ignore: decorator
@inline
function addEach(sum: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(
    sum,
    sumEach(
      f32x4.convert_i32x4_s(a),
      f32x4.convert_i32x4_s(b),
      f32x4.convert_i32x4_s(c),
      f32x4.convert_i32x4_s(d),
    ),
  );
}

/** Four floats from four addresses. */
// @ts-ignore: decorator
@inline
function gather(a: usize, b: usize, c: usize, d: usize): v128 {
  const two = v128.load32_lane(b, v128.load32_zero(a), 1);
  return v128.load32_lane(d, v128.load32_lane(c, two, 2), 3);
}

/**
 * scores[h][t] = q_h . row_t
 *
 *   scores   score rows[heads]   out, t < count rounded up to a multiple of 4
 *   q        i16 rows[heads]: each head's query as storeLatentI16 writes it
 *   rows     i16 rows[count]
 *
 * Requires heads >= 1, 1 <= count <= 32. What lies past count has no meaning.
 */
export function scoreTileI16(
  scores: usize,
  q: usize,
  heads: i32,
  rows: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  const rowBytes = I16_HEADER + (<usize>(latentDim + ropeDim) << 1);
  const latentEnd = I16_HEADER + (<usize>latentDim << 1);
  const lastRow = rows + <usize>(count - 1) * rowBytes;
  for (let t = 0; t < count; t += 4) {
    const row0 = rows + <usize>t * rowBytes;
    const row1 = min(row0 + rowBytes, lastRow);
    const row2 = min(row1 + rowBytes, lastRow);
    const row3 = min(row2 + rowBytes, lastRow);
    for (let h = 0; h < heads; h += 2) {
      const second = min(h + 1, heads - 1);
      const qa = q + <usize>h * rowBytes;
      const qb = q + <usize>second * rowBytes;
      let scoreA = f32x4.splat(0);
      let scoreB = f32x4.splat(0);
      let d = I16_HEADER;
      // First the latent part, then the rope part: each has its own scales.
      for (let part: usize = 0; part < 8; part += 4) {
        const partEnd = part ? rowBytes : latentEnd;
        let sumA = f32x4.splat(0);
        let sumB = f32x4.splat(0);
        while (d < partEnd) {
          const end = min(d + FLUSH_BYTES, partEnd);
          let a0 = i32x4.splat(0);
          let a1 = i32x4.splat(0);
          let a2 = i32x4.splat(0);
          let a3 = i32x4.splat(0);
          let b0 = i32x4.splat(0);
          let b1 = i32x4.splat(0);
          let b2 = i32x4.splat(0);
          let b3 = i32x4.splat(0);
          for (; d < end; d += 16) {
            const a = v128.load(qa + d);
            const b = v128.load(qb + d);
            const r0 = v128.load(row0 + d);
            a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, r0));
            b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, r0));
            const r1 = v128.load(row1 + d);
            a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, r1));
            b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, r1));
            const r2 = v128.load(row2 + d);
            a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, r2));
            b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, r2));
            const r3 = v128.load(row3 + d);
            a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, r3));
            b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, r3));
          }
          sumA = addEach(sumA, a0, a1, a2, a3);
          sumB = addEach(sumB, b0, b1, b2, b3);
        }
        const scales = gather(row0 + part, row1 + part, row2 + part, row3 + part);
        sumA = f32x4.mul(sumA, f32x4.mul(scales, v128.load32_splat(qa + part)));
        sumB = f32x4.mul(sumB, f32x4.mul(scales, v128.load32_splat(qb + part)));
        scoreA = f32x4.add(scoreA, sumA);
        scoreB = f32x4.add(scoreB, sumB);
      }
      const at = scores + (<usize>t << 2);
      v128.store(at + <usize>h * SCORE_ROW, scoreA);
      v128.store(at + <usize>second * SCORE_ROW, scoreB);
    }
  }
}
