// GGUF rows -> the panels of layout.ts, without loss.

import {
  Q4_0,
  Q8_0,
  blockBytes,
  blockSize,
  decodeBlock,
  hasMinimum,
  packedType,
  scaleOffset,
  subMinimum,
  subScale,
} from "../linear/blocks";
import {
  Q4,
  Q4K,
  Q4M,
  Q6K,
  Q8,
  Q8K,
  Q8M,
  hasMinimums,
  panelBlockBytes,
  panelBytes,
} from "../linear/layout";
import { packPanelQ4_0, packPanelQ8_0 } from "./panels-plain";
import { packScale } from "../linear/scales";
import { dotFlip } from "../reading";

/** Whether values lie in nibbles (with or without a plane of high bits). */
function isNibbles(packed: i32): bool {
  return packed != Q8 && packed != Q8M && packed != Q8K;
}

/**
 * Rows of a GGUF tensor as panels.
 *
 *   to        rows / 8 panels of packedType(type), out
 *   src       rows as in the file, back to back
 *   type      GGUF type id, not a float type
 *   scratch   2048 bytes
 *
 * Returns 0, or bits NOT_FINITE and TOO_LARGE for scales that cannot be packed (scales.ts).
 * Requires rows % 8 == 0, cols a multiple of the type's block.
 */
export function packPanels(
  to: usize,
  src: usize,
  type: i32,
  rows: i32,
  cols: i32,
  scratch: usize,
): i32 {
  const packed = packedType(type);
  const size = blockSize(type);
  const bytes = blockBytes(type);
  const rowBytes = <usize>(cols / size) * bytes;
  const step = panelBlockBytes(packed);
  let bad = 0;
  for (let r = 0; r < rows; r += 8, src += 8 * rowBytes) {
    if (type == Q8_0 || type == Q4_0) {
      if (type == Q8_0) bad |= packPanelQ8_0(to, src, rowBytes);
      else bad |= packPanelQ4_0(to, src, rowBytes);
      to += panelBytes(packed, cols);
      continue;
    }
    for (let b: usize = 0; b < rowBytes; b += bytes, to += step) {
      for (let i: usize = 0; i < 8; i++) {
        const block = src + i * rowBytes + b;
        decodeBlock(scratch + i * <usize>size, block, type);
        bad |= packPanelHeader(to, block, type, packed, i);
      }
      packCells(to, scratch, packed, size);
    }
  }
  return bad;
}

/** One row's scales and minimums of a panel's block. */
function packPanelHeader(to: usize, block: usize, type: i32, packed: i32, i: usize): i32 {
  const d = block + scaleOffset(type);
  let bad = packScale(to + 2 * i, d);
  if (hasMinimum(type)) bad |= packScale(to + 16 + 2 * i, d + 2);
  else if (hasMinimums(packed)) store<u16>(to + 16 + 2 * i, 0);
  if (packed < Q4K) return bad;
  const parts = packed == Q4K ? 8 : 16;
  for (let p = 0; p < parts; p++) {
    const s = subScale(type, block, packed == Q4K ? 2 * p : p);
    if (packed == Q6K) {
      store<u8>(to + 16 + <usize>(p >> 1) * 208 + (<usize>(p & 1) << 3) + i, <u8>s);
      continue;
    }
    const header = to + 32 + <usize>p * 144;
    store<u8>(header + i, <u8>s);
    store<u8>(header + 8 + i, <u8>subMinimum(type, block, packed == Q4K ? 2 * p : p));
  }
  return bad;
}

/** Where the cells of inputs 16 * i lie in a panel's block. */
function cellsOffset(packed: i32, i: usize): usize {
  if (packed == Q8) return 16 + i * 128;
  if (packed == Q8M) return 32 + i * 128;
  if (packed == Q8K) return 32 + i * 144 + 16;
  if (packed == Q4) return 16 + i * 64;
  if (packed == Q4M) return 32 + i * 64;
  if (packed == Q4K) return 32 + (i >> 1) * 144 + 16 + (i & 1) * 64;
  return 16 + (i >> 1) * 208 + 16 + (i & 1) * 64;
}

/** The cells of 8 rows x size values that lie in scratch, row by row. */
function packCells(to: usize, scratch: usize, packed: i32, size: i32): void {
  const n = <usize>size;
  const fifteen = i8x16.splat(15);
  const isRead = packed == Q8 || packed == Q4 || packed == Q4K;
  const flip = i8x16.splat(<i8>((packed == Q8 ? 0x80 : 0) ^ (isRead ? dotFlip() : 0)));
  for (let i: usize = 0; i < n >> 4; i++) {
    const cells = to + cellsOffset(packed, i);
    const planes = to + 16 + (i >> 1) * 208 + 16 + 128 + (i & 1) * 32;
    let pairs = i8x16.splat(0);
    for (let k: usize = 0; k < 4; k++) {
      const top = gatherCell(scratch + 16 * i + 4 * k, n);
      const low = gatherCell(scratch + 4 * n + 16 * i + 4 * k, n);
      if (!isNibbles(packed)) {
        v128.store(cells + 32 * k, v128.xor(top, flip));
        v128.store(cells + 32 * k, v128.xor(low, flip), 16);
        continue;
      }
      const nibbles = v128.or(v128.and(top, fifteen), i8x16.shl(low, 4));
      v128.store(cells + 16 * k, v128.xor(nibbles, flip));
      if (packed != Q6K) continue;
      const pair = v128.or(i8x16.shr_u(top, 4), i8x16.shl(i8x16.shr_u(low, 4), 2));
      if ((k & 1) == 0) pairs = pair;
      else v128.store(planes + ((k >> 1) << 4), v128.or(pairs, i8x16.shl(pair, 4)));
    }
  }
}

/** 4 bytes of each of 4 rows, n bytes apart. */
// @ts-ignore: decorator
@inline
function gatherCell(from: usize, n: usize): v128 {
  let cell = v128.load32_zero(from);
  cell = v128.load_lane<u32>(from + n, cell, 1);
  cell = v128.load_lane<u32>(from + 2 * n, cell, 2);
  return v128.load_lane<u32>(from + 3 * n, cell, 3);
}
