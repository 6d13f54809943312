// Scores of one tile of q8_0 rows: groups of queries against the values of the cache (tile-s8.ts).
import { Q8_0_BLOCK } from "./cache";
import { dot8 } from "../lanes";
import { dotFlip } from "../reading";
import { GROUP_SCORES } from "./tile-i16";
import { addScore, clearScores } from "./tile-i16-scores";
import {
  queryGroupBytes,
  scaleBytes,
  STREAM,
  STREAM_CELLS,
  STREAM_START,
  TILE_SCALES,
} from "./tile-s8";

/**
 * scores[i][t] = q_i . scored part of row_t
 *
 *   scores   groups of scores[groups]      out, t < count
 *   q        groups of queries[groups]
 *   rows     q8_0 rows[count]
 *   tile     their scales (readScales); scratch behind them
 *
 * Requires groups >= 1, count a multiple of 4 and at most 64, unscored, in blocks, 0 or
 * latentBlocks.
 */
export function scoreTileS8(
  scores: usize,
  q: usize,
  groups: i32,
  rows: usize,
  tile: usize,
  count: i32,
  unscored: i32,
  latentBlocks: i32,
  ropeBlocks: i32,
): void {
  const rowBytes = <usize>(latentBlocks + ropeBlocks) * Q8_0_BLOCK;
  const scored = latentBlocks - unscored;
  const groupBytes = queryGroupBytes(scored, ropeBlocks);
  const copy = tile + scaleBytes(latentBlocks, ropeBlocks);
  let scale = tile + TILE_SCALES;
  for (let t = 0; t < count; t += 4, rows += rowBytes << 2, scores += 64, scale += 16) {
    copyAsRead(copy, rows, rowBytes << 2);
    let group = q;
    let to = scores;
    for (let g = 0; g < groups; g++, to += GROUP_SCORES) clearScores(to);
    to = scores;
    for (let g = groups; g > 1; g -= 2, to += 2 * GROUP_SCORES, group += 2 * groupBytes) {
      scoreTwo(to, group, groupBytes, copy, rowBytes, scale, scored);
    }
    if (groups & 1) scoreRows(to, group, 0, copy, rowBytes, scale, scored, false);
    const row = copy + <usize>latentBlocks * Q8_0_BLOCK;
    const rowScale = scale + <usize>latentBlocks * TILE_SCALES;
    group = q + <usize>scored * STREAM;
    to = scores;
    for (let g = 0; g < groups; g++, to += GROUP_SCORES, group += groupBytes) {
      scoreTwo(to, group, STREAM, row, rowBytes, rowScale, ropeBlocks);
    }
  }
}

/** Values as the dot reads them; the bytes of scales are unused. n is a multiple of 8. */
// @ts-ignore: decorator
@inline
function copyAsRead(to: usize, from: usize, n: usize): void {
  const signs = i8x16.splat(<i8>(0x80 ^ dotFlip()));
  const end = from + n;
  for (; from + 64 <= end; to += 64, from += 64) {
    v128.store(to, v128.xor(v128.load(from), signs));
    v128.store(to, v128.xor(v128.load(from, 16), signs), 16);
    v128.store(to, v128.xor(v128.load(from, 32), signs), 32);
    v128.store(to, v128.xor(v128.load(from, 48), signs), 48);
  }
  for (; from < end; to += 8, from += 8) {
    v128.store64_lane(to, v128.xor(v128.load64_zero(from), signs), 0);
  }
}

/** Two streams, qStep apart: of two groups, or, if that is STREAM, the planes of one. */
function scoreTwo(
  to: usize,
  q: usize,
  qStep: usize,
  row: usize,
  rowBytes: usize,
  scale: usize,
  blocks: i32,
): void {
  scoreRows(to, q, qStep, row, rowBytes, scale, blocks, true);
}

/** One stream, or two, against four rows; a dot's lanes are the queries of a group. */
// @ts-ignore: decorator
@inline
function scoreRows(
  to: usize,
  q: usize,
  qStep: usize,
  row: usize,
  rowBytes: usize,
  scale: usize,
  blocks: i32,
  two: bool,
): void {
  const blockBytes: usize = qStep == STREAM ? 2 * STREAM : STREAM;
  const second = to + (qStep == STREAM ? 0 : GROUP_SCORES);
  for (; blocks > 0; blocks--, q += blockBytes, row += Q8_0_BLOCK, scale += TILE_SCALES) {
    let a0 = v128.load(q, STREAM_START);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = v128.load(q + qStep, STREAM_START);
    let b1 = b0;
    let b2 = b0;
    let b3 = b0;
    let row0 = row;
    let row1 = row0 + rowBytes;
    let row2 = row1 + rowBytes;
    let row3 = row2 + rowBytes;
    let cell = q;
    let other = q + qStep;
    for (const end = row + 32; row0 < end; ) {
      let a = v128.load(cell, STREAM_CELLS);
      let b = two ? v128.load(other, STREAM_CELLS) : a;
      let r0 = v128.load32_splat(row0, 2);
      a0 = dot8(a, r0, a0);
      if (two) b0 = dot8(b, r0, b0);
      let r1 = v128.load32_splat(row1, 2);
      a1 = dot8(a, r1, a1);
      if (two) b1 = dot8(b, r1, b1);
      let r2 = v128.load32_splat(row2, 2);
      a2 = dot8(a, r2, a2);
      if (two) b2 = dot8(b, r2, b2);
      let r3 = v128.load32_splat(row3, 2);
      a3 = dot8(a, r3, a3);
      if (two) b3 = dot8(b, r3, b3);
      a = v128.load(cell, STREAM_CELLS + 16);
      b = two ? v128.load(other, STREAM_CELLS + 16) : a;
      r0 = v128.load32_splat(row0, 6);
      a0 = dot8(a, r0, a0);
      if (two) b0 = dot8(b, r0, b0);
      r1 = v128.load32_splat(row1, 6);
      a1 = dot8(a, r1, a1);
      if (two) b1 = dot8(b, r1, b1);
      r2 = v128.load32_splat(row2, 6);
      a2 = dot8(a, r2, a2);
      if (two) b2 = dot8(b, r2, b2);
      r3 = v128.load32_splat(row3, 6);
      a3 = dot8(a, r3, a3);
      if (two) b3 = dot8(b, r3, b3);
      row0 += 8;
      row1 += 8;
      row2 += 8;
      row3 += 8;
      cell += 32;
      other += 32;
    }
    const scales = v128.load(scale);
    addScores(to, v128.load(q), scales, a0, a1, a2, a3);
    // Planes add to the same scores, one after the other.
    if (two) addScores(second, v128.load(q + qStep), scales, b0, b1, b2, b3);
  }
}

/** Adds dots of four positions, times the queries' scales and the rows'. */
// @ts-ignore: decorator
@inline
function addScores(to: usize, q: v128, rows: v128, a: v128, b: v128, c: v128, d: v128): void {
  addScore(to, a, q, v128.shuffle<i32>(rows, rows, 0, 0, 0, 0));
  addScore(to + 16, b, q, v128.shuffle<i32>(rows, rows, 1, 1, 1, 1));
  addScore(to + 32, c, q, v128.shuffle<i32>(rows, rows, 2, 2, 2, 2));
  addScore(to + 48, d, q, v128.shuffle<i32>(rows, rows, 3, 3, 3, 3));
}
