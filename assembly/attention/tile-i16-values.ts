// Values of one tile of attention in integers: groups of weights against i16 rows (tile-i16.ts).
import { pairHigh, pairLow } from "../lanes";
import { GROUP_FACTOR, GROUP_SCALE, GROUP_SCORES } from "./tile-i16";

/**
 * out_i = factor_i out_i + scale_i (sum over t of weight[i][t] row_t)
 *
 *   out      f32[dims] at out + i * outBytes        in and out
 *   scores   groups of scores[ceil(queries / 4)]    after softmaxTileI16
 *   values   i16[dims] at values + t * rowBytes
 *
 * Requires queries >= 1, count even and at most 64, dims % 8 == 0, |values| <= 8191.
 */
export function valueTileI16(
  out: usize,
  outBytes: usize,
  scores: usize,
  queries: i32,
  values: usize,
  rowBytes: usize,
  count: i32,
  dims: i32,
): void {
  const last = out + <usize>(queries - 1) * outBytes;
  const weightBytes = <usize>count << 3;
  // Two groups at a time: more rows of out may not fit in the cache sets that they share.
  for (let first = 0; first < queries; first += 8, scores += 2 * GROUP_SCORES) {
    const end = min(first + 8, queries);
    for (let d: usize = 0; d < <usize>dims; d += 8) {
      let group = scores;
      for (let i = first; i < end; i += 4, group += GROUP_SCORES) {
        let a0 = i32x4.splat(0);
        let a1 = a0;
        let a2 = a0;
        let a3 = a0;
        let b0 = a0;
        let b1 = a0;
        let b2 = a0;
        let b3 = a0;
        let even = values + (d << 1);
        let odd = even + rowBytes;
        let weights = group;
        for (const stop = weights + weightBytes; weights < stop; weights += 16) {
          const x = v128.load(even);
          const y = v128.load(odd);
          even += rowBytes << 1;
          odd += rowBytes << 1;
          const a = pairLow(x, y);
          const b = pairHigh(x, y);
          const w0 = v128.load32_splat(weights);
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, w0));
          b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, w0));
          const w1 = v128.load32_splat(weights, 4);
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, w1));
          b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, w1));
          const w2 = v128.load32_splat(weights, 8);
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, w2));
          b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, w2));
          const w3 = v128.load32_splat(weights, 12);
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, w3));
          b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, w3));
        }
        // Queries past the last repeat it: all loads come before the stores, which store the same.
        const out0 = out + <usize>i * outBytes + (d << 2);
        const out1 = min(out0 + outBytes, last + (d << 2));
        const out2 = min(out1 + outBytes, last + (d << 2));
        const out3 = min(out2 + outBytes, last + (d << 2));
        a0 = scaleAdd(out0, group, a0);
        b0 = scaleAdd(out0 + 16, group, b0);
        a1 = scaleAdd(out1, group + 4, a1);
        b1 = scaleAdd(out1 + 16, group + 4, b1);
        a2 = scaleAdd(out2, group + 8, a2);
        b2 = scaleAdd(out2 + 16, group + 8, b2);
        a3 = scaleAdd(out3, group + 12, a3);
        b3 = scaleAdd(out3 + 16, group + 12, b3);
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
}

/** The four floats at out times the query's factor, plus sum times its scale. */
// @ts-ignore: decorator
@inline
export function scaleAdd(out: usize, group: usize, sum: v128): v128 {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load32_splat(group, GROUP_SCALE));
  return f32x4.add(f32x4.mul(v128.load(out), v128.load32_splat(group, GROUP_FACTOR)), scaled);
}
