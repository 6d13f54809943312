// Scores and values of one tile of attention in f32: several queries against the same rows. The
// last query or row of an odd number is computed twice, never one beyond the end.
import { SCORE_FACTOR, SCORE_ROW, sumEach } from "./tile";

/**
 * scores[i][t] = q_i . row_t
 *
 *   scores      score rows[queries]   out, t < count rounded up to a multiple of 4
 *   q           f32[dims] at q + i * qBytes
 *   rows        f32[dims] at rows + t * rowBytes
 *
 * Requires queries >= 1, 1 <= count <= 32, dims % 4 == 0. What lies past count has no meaning.
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

/**
 * out_i = factor_i out_i + sum over t of weight[i][t] row_t
 *
 *   out         f32[dims] at out + i * outBytes   in and out
 *   scores      score rows[queries] after softmaxTile
 *   rows        f32[dims] at rows + t * rowBytes
 *
 * Requires queries >= 1, 1 <= count <= 32, dims % 8 == 0.
 */
export function valueTileF32(
  out: usize,
  outBytes: usize,
  scores: usize,
  queries: i32,
  rows: usize,
  rowBytes: usize,
  count: i32,
  dims: i32,
): void {
  const weightBytes = <usize>count << 2;
  for (let i = 0; i < queries; i += 4) {
    const i1 = min(i + 1, queries - 1);
    const i2 = min(i + 2, queries - 1);
    const i3 = min(i + 3, queries - 1);
    const weights0 = scores + <usize>i * SCORE_ROW;
    const weights1 = scores + <usize>i1 * SCORE_ROW;
    const weights2 = scores + <usize>i2 * SCORE_ROW;
    const weights3 = scores + <usize>i3 * SCORE_ROW;
    for (let d: usize = 0; d < <usize>dims << 2; d += 32) {
      let a0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let a3 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      let b1 = f32x4.splat(0);
      let b2 = f32x4.splat(0);
      let b3 = f32x4.splat(0);
      let row = rows + d;
      for (let t: usize = 0; t < weightBytes; t += 4) {
        const a = v128.load(row);
        const b = v128.load(row, 16);
        const w0 = v128.load32_splat(weights0 + t);
        a0 = f32x4.add(a0, f32x4.mul(a, w0));
        b0 = f32x4.add(b0, f32x4.mul(b, w0));
        const w1 = v128.load32_splat(weights1 + t);
        a1 = f32x4.add(a1, f32x4.mul(a, w1));
        b1 = f32x4.add(b1, f32x4.mul(b, w1));
        const w2 = v128.load32_splat(weights2 + t);
        a2 = f32x4.add(a2, f32x4.mul(a, w2));
        b2 = f32x4.add(b2, f32x4.mul(b, w2));
        const w3 = v128.load32_splat(weights3 + t);
        a3 = f32x4.add(a3, f32x4.mul(a, w3));
        b3 = f32x4.add(b3, f32x4.mul(b, w3));
        row += rowBytes;
      }
      const out0 = out + <usize>i * outBytes + d;
      const out1 = out + <usize>i1 * outBytes + d;
      const out2 = out + <usize>i2 * outBytes + d;
      const out3 = out + <usize>i3 * outBytes + d;
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

/** The four floats at out times the row's factor, plus sum. */
// @ts-ignore: decorator
@inline
function scaleAdd(out: usize, row: usize, sum: v128): v128 {
  return f32x4.add(f32x4.mul(v128.load(out), v128.load32_splat(row, SCORE_FACTOR)), sum);
}
