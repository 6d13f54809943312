// Scores of one tile of attention in integers: groups of queries against i16 rows (tile-i16.ts).
import { I16_HEADER } from "./cache";
import { FLUSH_DIMS, groupBytes, GROUP_SCORES } from "./tile-i16";

/**
 * scores[i][t] = q_i . scored part of row_t
 *
 *   scores   groups of scores[groups]    out, t < count
 *   q        groups of queries[groups]
 *   rows     i16 rows[count], rowBytes apart: `unscored` values of part 1, then `first` of it and
 *            `second` of part 2
 *
 * Requires groups >= 1, count a multiple of 4 and at most 64, first and second multiples of 2,
 * unscored or first 0.
 */
export function scoreTileI16(
  scores: usize,
  q: usize,
  groups: i32,
  rows: usize,
  rowBytes: usize,
  count: i32,
  unscored: i32,
  first: i32,
  second: i32,
): void {
  const skipped = I16_HEADER + (<usize>unscored << 1);
  for (let t = 0; t < count; t += 4, rows += rowBytes << 2, scores += 64) {
    let to = scores;
    let from = q;
    for (let g = groups; g > 1; g -= 2) {
      scoreRows(to, from, rows, rowBytes, skipped, first, second, true);
      to += 2 * GROUP_SCORES;
      from += 2 * groupBytes(first + second);
    }
    if (groups & 1) scoreRows(to, from, rows, rowBytes, skipped, first, second, false);
  }
}

/** One group, or two, against four rows; a dot's lanes are the queries of a group. */
// @ts-ignore: decorator
@inline
function scoreRows(
  to: usize,
  q: usize,
  rows: usize,
  rowBytes: usize,
  skipped: usize,
  first: i32,
  second: i32,
  two: bool,
): void {
  const group = groupBytes(first + second);
  let row0 = rows + skipped;
  let row1 = row0 + rowBytes;
  let row2 = row1 + rowBytes;
  let row3 = row2 + rowBytes;
  let cell = q + 32;
  let other = cell + group;
  clearScores(to);
  if (two) clearScores(to + GROUP_SCORES);
  for (let part: usize = 0; part < 8; part += 4) {
    for (const end = row0 + (<usize>(part ? second : first) << 1); row0 < end; ) {
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      for (const flush = min(row0 + (<usize>FLUSH_DIMS << 1), end); row0 < flush; row0 += 4) {
        const a = v128.load(cell);
        const b = two ? v128.load(other) : a;
        const r0 = v128.load32_splat(row0);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, r0));
        if (two) b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, r0));
        const r1 = v128.load32_splat(row1);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, r1));
        if (two) b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, r1));
        const r2 = v128.load32_splat(row2);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, r2));
        if (two) b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, r2));
        const r3 = v128.load32_splat(row3);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, r3));
        if (two) b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, r3));
        row1 += 4;
        row2 += 4;
        row3 += 4;
        cell += 16;
        other += 16;
      }
      addScores(to, q + (part << 2), rows + part, rowBytes, a0, a1, a2, a3);
      if (!two) continue;
      const otherScales = q + group + (part << 2);
      addScores(to + GROUP_SCORES, otherScales, rows + part, rowBytes, b0, b1, b2, b3);
    }
  }
}

/** Zeros for four positions. */
// @ts-ignore: decorator
@inline
export function clearScores(scores: usize): void {
  const zero = i32x4.splat(0);
  v128.store(scores, zero);
  v128.store(scores, zero, 16);
  v128.store(scores, zero, 32);
  v128.store(scores, zero, 48);
}

/** Adds sums for four positions, times the queries' scales and the rows'. */
// @ts-ignore: decorator
@inline
function addScores(
  to: usize,
  queryScales: usize,
  rowScales: usize,
  rowBytes: usize,
  a: v128,
  b: v128,
  c: v128,
  d: v128,
): void {
  const scales = v128.load(queryScales);
  addScore(to, a, scales, v128.load32_splat(rowScales));
  addScore(to + 16, b, scales, v128.load32_splat(rowScales + rowBytes));
  addScore(to + 32, c, scales, v128.load32_splat(rowScales + 2 * rowBytes));
  addScore(to + 48, d, scales, v128.load32_splat(rowScales + 3 * rowBytes));
}

/** Adds sums of one position to its scores, times the queries' scales and the row's. */
// @ts-ignore: decorator
@inline
export function addScore(to: usize, sum: v128, scales: v128, rowScale: v128): void {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(scales, rowScale));
  v128.store(to, f32x4.add(v128.load(to), scaled));
}
