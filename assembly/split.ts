// The up-projection in two planes of 4 bits. A squared ReLU leaves most of its outputs zero: from
// the high plane alone each output is known within a known error, and only those that can be
// positive read their low plane.
//
//   q + 128 = 16 high + low, of Q8_0's int8
//
//   high   panels of type Q4 (layout.ts), whose nibbles are the high ones
//   low    rows: f16 scale[cols / 32] (packScale), then 16 bytes a block of 32: byte i has input i
//          in its low nibble and input 16 + i in its high one

import { sumF32x4 } from "./lanes";
import { NIBBLES, UNPACKED_BLOCK, UNPACKED_CELLS } from "./layout";
import { packScale } from "./scales";
import { unpackF16 } from "./unpack";

/** Bytes of a low row. */
export function lowRowBytes(cols: i32): usize {
  return <usize>(cols >> 5) * 18;
}

/** The words of four v128 as four cells: cell j has word j of each. */
// @ts-ignore: decorator
@inline
function storeCells(to: usize, a: v128, b: v128, c: v128, d: v128, step: usize): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.or(v128.load(to), v128.shuffle<i64>(ab, cd, 0, 2)));
  v128.store(to + step, v128.or(v128.load(to + step), v128.shuffle<i64>(ab, cd, 1, 3)));
  v128.store(to + 2 * step, v128.or(v128.load(to + 2 * step), v128.shuffle<i64>(ab2, cd2, 0, 2)));
  v128.store(to + 3 * step, v128.or(v128.load(to + 3 * step), v128.shuffle<i64>(ab2, cd2, 1, 3)));
}

/**
 * Q8_0 rows in two planes.
 *
 *   high   rows / 8 panels, out
 *   low    rows, out
 *   src    rows as in the file, back to back
 *
 * Returns what packPanels returns. Requires rows % 8 == 0, cols % 128 == 0.
 */
export function packSplit(high: usize, low: usize, src: usize, rows: i32, cols: i32): i32 {
  const blocks = <usize>(cols >> 5);
  const rowBytes = blocks * 34;
  const nibbles = v128.load(NIBBLES);
  const flip = i8x16.splat(-128);
  let bad = 0;
  memory.fill(high, 0, (<usize>rows >> 3) * blocks * 144);
  for (let r = 0; r < rows; r += 8, src += 8 * rowBytes, low += 8 * lowRowBytes(cols)) {
    for (let b: usize = 0; b < blocks; b++, high += 144) {
      for (let half: usize = 0; half < 8; half += 4) {
        for (let i: usize = half; i < half + 4; i++) {
          const block = src + i * rowBytes + b * 34;
          const row = low + i * lowRowBytes(cols);
          bad |= packScale(high + 2 * i, block);
          bad |= packScale(row + 2 * b, block);
          const first = v128.xor(v128.load(block, 2), flip);
          const second = v128.xor(v128.load(block, 18), flip);
          const merged = v128.or(v128.and(first, nibbles), i8x16.shl(second, 4));
          v128.store(row + 2 * blocks + 16 * b, merged);
        }
        const block = src + half * rowBytes + b * 34;
        for (let i: usize = 0; i < 32; i += 16) {
          storeCells(
            high + 16 + 4 * i,
            highNibbles(block + i, half),
            highNibbles(block + rowBytes + i, half),
            highNibbles(block + 2 * rowBytes + i, half),
            highNibbles(block + 3 * rowBytes + i, half),
            16,
          );
        }
      }
    }
  }
  return bad;
}

/** High nibbles of 16 values + 128: in the low half of their bytes, or, for rows 4-7, the high. */
// @ts-ignore: decorator
@inline
function highNibbles(values: usize, half: usize): v128 {
  const u = v128.xor(v128.load(values, 2), i8x16.splat(-128));
  return half == 0 ? i8x16.shr_u(u, 4) : v128.andnot(u, v128.load(NIBBLES));
}

/** An 8-row panel of both planes as an unpacked one (layout.ts); flip as in unpackPanel. */
export function unpackSplit(to: usize, high: usize, low: usize, cols: i32, flip: i32): void {
  const blocks = <usize>(cols >> 5);
  const rowBytes = lowRowBytes(cols);
  const nibbles = v128.load(NIBBLES);
  const bits = i8x16.splat(<i8>(flip ^ 0x80));
  low += 2 * blocks;
  for (let b: usize = 0; b < blocks; b++, to += UNPACKED_BLOCK, high += 144, low += 16) {
    unpackF16(to, high);
    for (let i: usize = 64; i < 128; i += 16) v128.store(to + i, i32x4.splat(0));
    const cells = to + UNPACKED_CELLS;
    for (let i: usize = 0; i < 128; i += 16) {
      const v = v128.load(high + 16 + i);
      v128.store(cells + 2 * i, i8x16.shl(v, 4));
      v128.store(cells + 2 * i, v128.andnot(v, nibbles), 16);
    }
    for (let half: usize = 0; half < 8; half += 4) {
      const row = low + half * rowBytes;
      const v0 = v128.load(row);
      const v1 = v128.load(row + rowBytes);
      const v2 = v128.load(row + 2 * rowBytes);
      const v3 = v128.load(row + 3 * rowBytes);
      const at = cells + 4 * half;
      storeCells(at, v128.and(v0, nibbles), v128.and(v1, nibbles), v128.and(v2, nibbles),
        v128.and(v3, nibbles), 32);
      storeCells(at + 128, i8x16.shr_u(v0, 4), i8x16.shr_u(v1, 4), i8x16.shr_u(v2, 4),
        i8x16.shr_u(v3, 4), 32);
    }
    for (let i: usize = 0; i < 256; i += 16) {
      v128.store(cells + i, v128.xor(v128.load(cells + i), bits));
    }
  }
}

/** f32[n / 32] at to: the sums of the squares of 32 of x each. */
export function sumSquares32(to: usize, x: usize, n: i32): void {
  for (const end = x + (<usize>n << 2); x < end; x += 128, to += 4) {
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(x + i), v128.load(x + i)));
    }
    store<f32>(to, sumF32x4(sum));
  }
}
