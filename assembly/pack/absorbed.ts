// Panels -> the absorbed keys of assembly/linear/absorb.ts.

import { paddedInputs } from "../linear/absorb";
import { roundToI16 } from "../lanes";
import {
  UNPACKED_BLOCK,
  UNPACKED_CELLS,
  hasHalves,
  hasMinimums,
  panelBytes,
} from "../linear/layout";
import { unpackPanel } from "../linear/unpack";
import { dotFlip } from "../reading";

/**
 * Absorbed keys of one head.
 *
 *   to        absorbed keys        out
 *   w         panels[rows, cols]   of `type`, not a float type
 *   scratch   cols / 32 * UNPACKED_BLOCK bytes
 *
 * Requires rows % 8 == 0, cols % 32 == 0 (256 for K types).
 */
export function packAbsorbed(
  to: usize,
  w: usize,
  type: i32,
  rows: i32,
  cols: i32,
  scratch: usize,
): void {
  const halves: usize = hasHalves(type) ? 2 : 1;
  const inputs = <usize>paddedInputs(rows);
  const blocks = <usize>(cols >> 5) * halves;
  const table = to + 4 * inputs;
  const minimums = table + 2 * blocks * inputs;
  let cells = minimums + (hasMinimums(type) ? 4 * blocks * inputs : 0);
  memory.fill(to, 0, minimums - to);
  const scratchEnd = scratch + <usize>(cols >> 5) * UNPACKED_BLOCK;
  for (let r: usize = 0; r < <usize>rows; r += 8, w += panelBytes(type, cols), cells += 64) {
    unpackPanel(scratch, w, type, cols, 0x80 ^ dotFlip());
    const low = inverseOfMost(to + 4 * r, scratch, scratchEnd);
    const high = inverseOfMost(to + 4 * r + 16, scratch + 16, scratchEnd);
    let scales = table + 2 * r;
    let minimum = minimums + 4 * r;
    let column = cells;
    for (let block = scratch; block < scratchEnd; block += UNPACKED_BLOCK) {
      for (let half: usize = 0; half < 32 * halves; half += 32, scales += 2 * inputs) {
        const s = block + half;
        const first = f32x4.mul(v128.load(s), low);
        const second = f32x4.mul(v128.load(s, 16), high);
        v128.store(scales, roundToI16(first, second, f32x4.splat(1)));
        if (!hasMinimums(type)) continue;
        v128.store(minimum, v128.load(s, 64));
        v128.store(minimum, v128.load(s, 80), 16);
        minimum += 4 * inputs;
      }
      for (let i = UNPACKED_CELLS; i < UNPACKED_BLOCK; i += 64, column += 8 * inputs) {
        storeTransposed(column, block + i);
        storeTransposed(column + 16, block + i + 32);
        storeTransposed(column + 32, block + i + 16);
        storeTransposed(column + 48, block + i + 48);
      }
    }
  }
}

/** Writes four rows' largest scale to `most`; returns the factor that makes it 32639. */
// @ts-ignore: decorator
@inline
function inverseOfMost(most: usize, block: usize, end: usize): v128 {
  let largest = f32x4.splat(0);
  for (; block < end; block += UNPACKED_BLOCK) {
    largest = f32x4.max(largest, f32x4.abs(v128.load(block)));
    largest = f32x4.max(largest, f32x4.abs(v128.load(block, 32)));
  }
  v128.store(most, f32x4.mul(largest, f32x4.splat(32768.0 / 32639.0)));
  const isZero = f32x4.eq(largest, f32x4.splat(0));
  return v128.andnot(f32x4.div(f32x4.splat(32639), largest), isZero);
}

/** A cell of 4 x 4 values, its inputs as rows. */
// @ts-ignore: decorator
@inline
function storeTransposed(to: usize, cell: usize): void {
  const v = v128.load(cell);
  v128.store(to, v128.shuffle<i8>(v, v, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}
