// Values of one tile of attention in f32: several queries' weights against the same rows. If
// their number is odd, the last query is computed twice.
import { SCORE_FACTOR, SCORE_ROW } from "./tile";

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
      // All sums before any store: the last two outs may be the same.
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
