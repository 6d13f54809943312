// Scores of one tile of attention in f32: several queries against the same rows. If their
// number is odd, the last query or row is computed twice; nothing past the end is read.
import { SCORE_ROW, sumEach } from "./tile";

/**
 * scores[i][t] = q_i . row_t
 *
 *   scores      score rows[queries]   out, t < count rounded up to a multiple of 4
 *   q           f32[dims] at q + i * qBytes
 *   rows        f32[dims] at rows + t * rowBytes
 *
 * Requires queries >= 1, 1 <= count <= 32, dims % 4 == 0. Scores past count are undefined.
 */
export function scoreTileF32(
  scores: usize,
  q: usize,
  qBytes: usize,
  queries: i32,
  rows: usize,
  rowBytes: usize,
  count: i32,
  dims: i32,
): void {
  const bytes = <usize>dims << 2;
  const lastRow = rows + <usize>(count - 1) * rowBytes;
  for (let t = 0; t < count; t += 4) {
    const row0 = rows + <usize>t * rowBytes;
    const row1 = min(row0 + rowBytes, lastRow);
    const row2 = min(row1 + rowBytes, lastRow);
    const row3 = min(row2 + rowBytes, lastRow);
    for (let i = 0; i < queries; i += 2) {
      const second = min(i + 1, queries - 1);
      const qa = q + <usize>i * qBytes;
      const qb = q + <usize>second * qBytes;
      let a0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let a3 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      let b1 = f32x4.splat(0);
      let b2 = f32x4.splat(0);
      let b3 = f32x4.splat(0);
      for (let d: usize = 0; d < bytes; d += 16) {
        const a = v128.load(qa + d);
        const b = v128.load(qb + d);
        const r0 = v128.load(row0 + d);
        a0 = f32x4.add(a0, f32x4.mul(a, r0));
        b0 = f32x4.add(b0, f32x4.mul(b, r0));
        const r1 = v128.load(row1 + d);
        a1 = f32x4.add(a1, f32x4.mul(a, r1));
        b1 = f32x4.add(b1, f32x4.mul(b, r1));
        const r2 = v128.load(row2 + d);
        a2 = f32x4.add(a2, f32x4.mul(a, r2));
        b2 = f32x4.add(b2, f32x4.mul(b, r2));
        const r3 = v128.load(row3 + d);
        a3 = f32x4.add(a3, f32x4.mul(a, r3));
        b3 = f32x4.add(b3, f32x4.mul(b, r3));
      }
      const at = scores + (<usize>t << 2);
      v128.store(at + <usize>i * SCORE_ROW, sumEach(a0, a1, a2, a3));
      v128.store(at + <usize>second * SCORE_ROW, sumEach(b0, b1, b2, b3));
    }
  }
}
