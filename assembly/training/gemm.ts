// Matrix products in f32, with A read in any order: all that forward and backward need.

import { packColumns, packRows } from "./gemm-pack";

//   GemmShape, 32 bytes
//   +---------------------------------------------------------------+
//   |  0  i32  m: rows of C                                         |
//   |  4  i32  n: columns of C                                      |
//   |  8  i32  k: terms of a sum                                    |
//   | 12  i32  aRow: floats from one row of A to the next           |
//   | 16  i32  aCol: floats from one column of A to the next        |
//   | 20  i32  bRow: floats from one row of B to the next           |
//   | 24  i32  cRow: floats from one row of C to the next           |
//   | 28  i32  accumulate: 1 adds to C, 0 overwrites it             |
//   +---------------------------------------------------------------+
const N: usize = 4;
const K: usize = 8;
const A_ROW: usize = 12;
const A_COL: usize = 16;
const B_ROW: usize = 20;
const C_ROW: usize = 24;
const ACCUMULATE: usize = 28;

/** Bytes of a GemmShape. */
export const GEMM_SHAPE: usize = 32;

/** Rows of A, and terms of a sum, that are packed at a time. */
const ROWS: i32 = 64;
const DEPTH: i32 = 256;

/** Bytes of the packed rows of A, and of these with 8 packed columns of B. */
const PACKED_ROWS: usize = 64 * 256 * 4;
export const GEMM_SCRATCH: usize = PACKED_ROWS + 8 * 256 * 4;

/** Fills a GemmShape except its strides. */
// @ts-ignore: decorator
@inline
export function setGemmSizes(shape: usize, m: i32, n: i32, k: i32, accumulate: i32): void {
  store<i32>(shape, m);
  store<i32>(shape, n, N);
  store<i32>(shape, k, K);
  store<i32>(shape, accumulate, ACCUMULATE);
}

/** Fills the strides of a GemmShape. */
// @ts-ignore: decorator
@inline
export function setGemmStrides(shape: usize, aRow: i32, aCol: i32, bRow: i32, cRow: i32): void {
  store<i32>(shape, aRow, A_ROW);
  store<i32>(shape, aCol, A_COL);
  store<i32>(shape, bRow, B_ROW);
  store<i32>(shape, cRow, C_ROW);
}

/**
 * C = A B, or C += A B
 *
 *   c         f32[m, n]   in and out, rows cRow floats apart
 *   a         f32[m, k]   element (i, l) is i * aRow + l * aCol floats further
 *   b         f32[k, n]   rows bRow floats apart
 *   shape     GemmShape
 *   scratch   GEMM_SCRATCH_BYTES bytes (src/training/engine/kernels.ts)
 *
 * Requires m, n, k >= 1 and n % 4 == 0; c apart from a and b. Any alignment. Each element of C is
 * summed in the same order at any position: over 256 of k at a time, one after another, then added
 * to the element. A part of C computed alone is the same to the last bit.
 */
export function gemm(c: usize, a: usize, b: usize, shape: usize, scratch: usize): void {
  const m = load<i32>(shape);
  const k = load<i32>(shape, K);
  const aRow = <usize>load<i32>(shape, A_ROW) << 2;
  const aCol = <usize>load<i32>(shape, A_COL) << 2;
  const bRow = <usize>load<i32>(shape, B_ROW) << 2;
  const cRow = <usize>load<i32>(shape, C_ROW) << 2;
  for (let i = 0; i < m; i += ROWS) {
    const rows = min(ROWS, m - i);
    for (let l = 0; l < k; l += DEPTH) {
      const depth = min(DEPTH, k - l);
      packRows(scratch, a + <usize>i * aRow + <usize>l * aCol, rows, depth, aRow, aCol);
      multiplyPacked(c + <usize>i * cRow, b + <usize>l * bRow, shape, rows, depth, l, scratch);
    }
  }
}

/** `rows` rows of C from the packed rows of A and `depth` rows of B. */
// @ts-ignore: decorator
@inline
function multiplyPacked(
  c: usize,
  b: usize,
  shape: usize,
  rows: i32,
  depth: i32,
  done: i32,
  scratch: usize,
): void {
  const n = load<i32>(shape, N);
  const bRow = <usize>load<i32>(shape, B_ROW) << 2;
  const cRow = <usize>load<i32>(shape, C_ROW) << 2;
  const adds = done > 0 || load<i32>(shape, ACCUMULATE) != 0;
  const columns = scratch + PACKED_ROWS;
  for (let j = 0; j < n; j += 8, c += 32, b += 32) {
    const isWide = j + 8 <= n;
    packColumns(columns, b, depth, bRow, isWide);
    let to = c;
    let packed = scratch;
    for (let r = 0; r < rows; r += 4, to += 4 * cRow, packed += <usize>depth << 4) {
      multiplyTile(to, cRow, packed, columns, depth, min(4, rows - r), isWide, adds);
    }
  }
}

/** 4 x 8 of C, of which `rows` rows and 8 or 4 columns are stored. */
function multiplyTile(
  c: usize,
  cRow: usize,
  a: usize,
  b: usize,
  depth: i32,
  rows: i32,
  isWide: bool,
  adds: bool,
): void {
  let low0 = f32x4.splat(0);
  let low1 = low0;
  let low2 = low0;
  let low3 = low0;
  let high0 = low0;
  let high1 = low0;
  let high2 = low0;
  let high3 = low0;
  for (const end = b + (<usize>depth << 5); b < end; b += 32, a += 16) {
    const low = v128.load(b);
    const high = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    low0 = f32x4.add(low0, f32x4.mul(a0, low));
    high0 = f32x4.add(high0, f32x4.mul(a0, high));
    const a1 = v128.load32_splat(a, 4);
    low1 = f32x4.add(low1, f32x4.mul(a1, low));
    high1 = f32x4.add(high1, f32x4.mul(a1, high));
    const a2 = v128.load32_splat(a, 8);
    low2 = f32x4.add(low2, f32x4.mul(a2, low));
    high2 = f32x4.add(high2, f32x4.mul(a2, high));
    const a3 = v128.load32_splat(a, 12);
    low3 = f32x4.add(low3, f32x4.mul(a3, low));
    high3 = f32x4.add(high3, f32x4.mul(a3, high));
  }
  storeRow(c, low0, high0, isWide, adds);
  if (rows > 1) storeRow(c + cRow, low1, high1, isWide, adds);
  if (rows > 2) storeRow(c + 2 * cRow, low2, high2, isWide, adds);
  if (rows > 3) storeRow(c + 3 * cRow, low3, high3, isWide, adds);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, low: v128, high: v128, isWide: bool, adds: bool): void {
  v128.store(c, adds ? f32x4.add(v128.load(c), low) : low);
  if (isWide) v128.store(c, adds ? f32x4.add(v128.load(c, 16), high) : high, 16);
}
