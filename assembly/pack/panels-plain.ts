// Rows of Q8_0 and Q4_0, blocks of a scale and 32 integers, as panels: the bulk of a file, so its
// rows become cells in registers, at the speed of memory.

import { packScales8 } from "../linear/scales";
import { cellsAsU8, dotFlip } from "../reading";

/** packPanels for 8 rows of Q8_0; `rowBytes` of each. */
export function packPanelQ8_0(to: usize, src: usize, rowBytes: usize): i32 {
  let bad = 0;
  for (const end = src + rowBytes; src < end; src += 34, to += 272) {
    bad |= packScales8(to, src, rowBytes);
    for (let i: usize = 0; i < 2; i++) {
      const from = src + 2 + 16 * i;
      packQuad(to + 128 * i, from, rowBytes);
      packQuad(to + 128 * i + 16, from + 4 * rowBytes, rowBytes);
    }
  }
  return bad;
}

/** packPanels for 8 rows of Q4_0; `rowBytes` of each. */
export function packPanelQ4_0(to: usize, src: usize, rowBytes: usize): i32 {
  let bad = 0;
  for (const end = src + rowBytes; src < end; src += 18, to += 144) {
    bad |= packScales8(to, src, rowBytes);
    packPairs(to, src + 2, rowBytes, false);
    packPairs(to + 32, src + 2, rowBytes, true);
  }
  return bad;
}

/** Writes 16 inputs of 4 rows as cells, as the dot reads them, 32 bytes apart from to + 16 on. */
// @ts-ignore: decorator
@inline
function packQuad(to: usize, from: usize, stride: usize): void {
  const flip = i8x16.splat(<i8>(0x80 ^ dotFlip()));
  const ab = from + stride;
  const a = v128.xor(v128.load(from), flip);
  const b = v128.xor(v128.load(ab), flip);
  const c = v128.xor(v128.load(ab + stride), flip);
  const d = v128.xor(v128.load(ab + 2 * stride), flip);
  const lowAb = lows(a, b);
  const highAb = highs(a, b);
  const lowCd = lows(c, d);
  const highCd = highs(c, d);
  v128.store(to, v128.shuffle<i64>(lowAb, lowCd, 0, 2), 16);
  v128.store(to, v128.shuffle<i64>(lowAb, lowCd, 1, 3), 48);
  v128.store(to, v128.shuffle<i64>(highAb, highCd, 0, 2), 80);
  v128.store(to, v128.shuffle<i64>(highAb, highCd, 1, 3), 112);
}

/**
 * Bytes 0-7 or, if isHigh, 8-15 of 8 rows of nibbles as the cells of inputs 0-7 or 8-15 and, 64
 * bytes further, of those plus 16; from to + 16 on.
 */
// @ts-ignore: decorator
@inline
function packPairs(to: usize, from: usize, stride: usize, isHigh: bool): void {
  const half = from + 4 * stride;
  const topAb = pairOf(from, stride, isHigh);
  const topCd = pairOf(from + 2 * stride, stride, isHigh);
  const lowAb = pairOf(half, stride, isHigh);
  const lowCd = pairOf(half + 2 * stride, stride, isHigh);
  const even = v128.shuffle<i64>(topAb, topCd, 0, 2);
  const odd = v128.shuffle<i64>(topAb, topCd, 1, 3);
  storeNibbles(to, even, v128.shuffle<i64>(lowAb, lowCd, 0, 2));
  storeNibbles(to + 16, odd, v128.shuffle<i64>(lowAb, lowCd, 1, 3));
}

/** Words of two rows, alternating: the first two of each or the last two. */
// @ts-ignore: decorator
@inline
function pairOf(from: usize, stride: usize, isHigh: bool): v128 {
  const a = v128.load(from);
  const b = v128.load(from + stride);
  return isHigh ? highs(a, b) : lows(a, b);
}

/** Low nibbles of both and, 64 bytes further, high ones: the first operand's in the low places. */
// @ts-ignore: decorator
@inline
function storeNibbles(to: usize, first: v128, second: v128): void {
  const low = i8x16.splat(15);
  const high = i8x16.splat(-16);
  // Turning bit 7 for a reading is its own inverse.
  v128.store(to, cellsAsU8(v128.bitselect(i16x8.shl(second, 4), first, high)), 16);
  v128.store(to, cellsAsU8(v128.bitselect(i16x8.shr_u(first, 4), second, low)), 80);
}

// @ts-ignore: decorator
@inline
function lows(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
function highs(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}
