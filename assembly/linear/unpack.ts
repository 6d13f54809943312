// Packed panels of any type -> int8 cells with f32 scales, the one form that matmul reads.

import { loadF16, loadI8x4, loadScaleX4, loadU8x4 } from "../lanes";
import { cellsAsU8, dotFlip } from "../reading";
import {
  F32,
  F16,
  Q4,
  Q4K,
  Q4M,
  Q6K,
  Q8,
  Q8K,
  Q8M,
  UNPACKED_BLOCK,
  UNPACKED_CELLS,
  panelBytes,
} from "./layout";

/** Writes 8 f16 at src as f32 to the places of both halves at to. */
// @ts-ignore: decorator
@inline
function unpackF16(to: usize, src: usize): void {
  const lo = loadScaleX4(src);
  const hi = loadScaleX4(src + 8);
  v128.store(to, lo);
  v128.store(to, hi, 16);
  v128.store(to, lo, 32);
  v128.store(to, hi, 48);
}

/** Zeroes the minimums of the block at to. */
// @ts-ignore: decorator
@inline
function clearMinimums(to: usize): void {
  for (let i: usize = 64; i < 128; i += 16) v128.store(to + i, i32x4.splat(0));
}

/** Writes 8 products d * s to to. */
// @ts-ignore: decorator
@inline
function storeScaled(to: usize, dLo: v128, dHi: v128, sLo: v128, sHi: v128): void {
  v128.store(to, f32x4.mul(dLo, sLo));
  v128.store(to, f32x4.mul(dHi, sHi), 16);
}

/** Copies n bytes with their bits `flip` flipped. */
// @ts-ignore: decorator
@inline
function unpackBytes(to: usize, src: usize, n: usize, flip: i32): void {
  const bits = i8x16.splat(<i8>flip);
  for (let i: usize = 0; i < n; i += 16) v128.store(to + i, v128.xor(v128.load(src + i), bits));
}

/** 256 nibbles less bias; isRead: they lie as the dot reads them. */
// @ts-ignore: decorator
@inline
function unpackNibbles(to: usize, src: usize, bias: i8, isRead: bool): void {
  const mask = i8x16.splat(15);
  const offset = i8x16.splat(bias);
  for (let i: usize = 0; i < 128; i += 16) {
    const cell = v128.load(src + i);
    const v = isRead ? cellsAsU8(cell) : cell;
    v128.store(to + 2 * i, i8x16.sub(v128.and(v, mask), offset));
    v128.store(to + 2 * i, i8x16.sub(i8x16.shr_u(v, 4), offset), 16);
  }
}

/** 256 values of 6 bits less bias. */
// @ts-ignore: decorator
@inline
function unpackSixes(to: usize, src: usize, bias: i8): void {
  const nibble = i8x16.splat(15);
  const pair = i8x16.splat(0x30);
  const offset = i8x16.splat(bias);
  for (let i: usize = 0; i < 64; i += 16, to += 64) {
    const high = v128.load(src + 128 + i);
    const v = v128.load(src + 2 * i);
    const w = v128.load(src + 2 * i, 16);
    const h0 = v128.and(i8x16.shl(high, 4), pair);
    const h1 = v128.and(i8x16.shl(high, 2), pair);
    const h2 = v128.and(high, pair);
    const h3 = v128.and(i8x16.shr_u(high, 2), pair);
    v128.store(to, i8x16.sub(v128.or(v128.and(v, nibble), h0), offset));
    v128.store(to, i8x16.sub(v128.or(i8x16.shr_u(v, 4), h1), offset), 16);
    v128.store(to, i8x16.sub(v128.or(v128.and(w, nibble), h2), offset), 32);
    v128.store(to, i8x16.sub(v128.or(i8x16.shr_u(w, 4), h3), offset), 48);
  }
}

/** The eight blocks of 256 inputs of a K type; returns the end of to. */
function unpackSuper(to: usize, src: usize, type: i32, flip: i32): usize {
  const dLo = loadScaleX4(src);
  const dHi = loadScaleX4(src + 8);
  if (type == Q6K) {
    src += 16;
    for (let b = 0; b < 8; b++, src += 208, to += UNPACKED_BLOCK) {
      storeScaled(to, dLo, dHi, loadI8x4(src), loadI8x4(src + 4));
      storeScaled(to + 32, dLo, dHi, loadI8x4(src + 8), loadI8x4(src + 12));
      clearMinimums(to);
      unpackSixes(to + UNPACKED_CELLS, src + 16, <i8>(32 ^ flip));
    }
    return to;
  }
  const mLo = f32x4.neg(loadScaleX4(src + 16));
  const mHi = f32x4.neg(loadScaleX4(src + 24));
  src += 32;
  for (let b = 0; b < 8; b++, to += UNPACKED_BLOCK) {
    if (type == Q4K) {
      for (let half: usize = 0; half < 64; half += 32) {
        storeScaled(to + half, dLo, dHi, loadU8x4(src), loadU8x4(src + 4));
        storeScaled(to + 64 + half, mLo, mHi, loadU8x4(src + 8), loadU8x4(src + 12));
      }
      unpackNibbles(to + UNPACKED_CELLS, src + 16, <i8>flip, true);
      src += 144;
    } else {
      for (let half: usize = 0; half < 2; half++, src += 144) {
        storeScaled(to + half * 32, dLo, dHi, loadI8x4(src), loadI8x4(src + 4));
        storeScaled(to + 64 + half * 32, mLo, mHi, loadU8x4(src + 8), loadU8x4(src + 12));
        unpackBytes(to + UNPACKED_CELLS + half * 128, src + 16, 128, flip);
      }
    }
  }
  return to;
}

/**
 * Unpacks one packed panel (both forms in layout.ts).
 *
 *   to     cols / 32 * UNPACKED_BLOCK bytes, out
 *   src    an 8-row panel of `type` (not a float type)
 *   flip   0 for cells of s8, 0x80 for cells of u8 that are 128 more
 */
export function unpackPanel(to: usize, src: usize, type: i32, cols: i32, flip: i32): void {
  const end = to + <usize>(cols >> 5) * UNPACKED_BLOCK;
  if (type >= Q4K) {
    const step = panelBytes(type, 256);
    for (; to < end; src += step) to = unpackSuper(to, src, type, flip);
    return;
  }
  const minimums = type == Q8M || type == Q4M;
  const header: usize = minimums ? 32 : 16;
  const bytes: usize = type == Q8 || type == Q8M ? 256 : 128;
  for (; to < end; to += UNPACKED_BLOCK, src += header + bytes) {
    unpackF16(to, src);
    if (minimums) unpackF16(to + 64, src + 16);
    else clearMinimums(to);
    const cells = to + UNPACKED_CELLS;
    const bits = type == Q8 ? flip ^ 0x80 ^ dotFlip() : flip;
    if (bytes == 256) unpackBytes(cells, src + header, 256, bits);
    else if (type == Q4) unpackNibbles(cells, src + header, <i8>(8 ^ flip), true);
    else unpackNibbles(cells, src + header, <i8>flip, false);
  }
}

/**
 * Unpacks one row of a packed matrix to floats: the embedding of a token.
 *
 *   y         f32[cols]   out
 *   w         a matrix of `type`
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes; unused by float types
 */
export function dequantizeRow(
  y: usize,
  w: usize,
  type: i32,
  row: i32,
  cols: i32,
  scratch: usize,
): void {
  if (type >= F32) {
    dequantizeFloats(y, w, type, row, cols);
    return;
  }
  unpackPanel(scratch, w + <usize>(row >> 3) * panelBytes(type, cols), type, cols, 0);
  const r = <usize>(row & 7);
  for (let c = 0; c < cols; c++) {
    const block = scratch + <usize>(c >> 5) * UNPACKED_BLOCK;
    const scale = block + (<usize>((c >> 4) & 1) << 5) + (r << 2);
    const cell = block + UNPACKED_CELLS + (<usize>((c >> 2) & 7) << 5) + (r << 2) + <usize>(c & 3);
    store<f32>(y + (<usize>c << 2), <f32>load<i8>(cell) * load<f32>(scale) + load<f32>(scale, 64));
  }
}

function dequantizeFloats(y: usize, w: usize, type: i32, row: i32, cols: i32): void {
  const first = <usize>row * <usize>cols;
  if (type == F32) {
    memory.copy(y, w + (first << 2), <usize>cols << 2);
    return;
  }
  w += first << 1;
  for (let c: usize = 0; c < <usize>cols; c++) {
    const at = w + (c << 1);
    const value = type == F16 ? loadF16(at) : reinterpret<f32>(<i32>load<i16>(at) << 16);
    store<f32>(y + (c << 2), value);
  }
}
