// Attention over one tile of positions in f32 (tile-i16.ts has integers). Each query of a tile
// has a score row in scratch and, across tiles, a softmax state.
//
//   score row, 144 bytes                                   softmax state, 16 bytes
//   +--------------------------------------------+         +----------------------------------+
//   |   0  f32[32]  scores, then e^(score - max) |         |  0  f32  largest score so far    |
//   | 128  f32      factor for what came before  |         |  4  4 bytes unused               |
//   | 132  12 bytes unused                       |         |  8  f64  sum of e^(score - max)  |
//   +--------------------------------------------+         +----------------------------------+
import { addLanesF64, expF32, expF32x4, largestLane } from "../exp";

/** Positions of a tile, at most. */
export const TILE: i32 = 32;
export const SCORE_ROW: usize = 144;
export const SCORE_FACTOR: usize = 128;
export const SOFTMAX_STATE: usize = 16;

/** The state without positions. */
export function startSoftmax(state: usize, queries: i32): void {
  for (let i = 0; i < queries; i++, state += SOFTMAX_STATE) {
    store<f32>(state, -Infinity);
    store<f32>(state, 0, 4);
    store<f64>(state, 0, 8);
  }
}

/**
 * Online softmax: adds the tile's scores s = scores * scale.
 *
 *   row     score row   scores[count] in; e^(s - max) out, 0 up to the next multiple of 4, and the
 *                       factor e^(old max - max) for the sums so far
 *   state   softmax state   in and out
 *
 * Requires 1 <= count <= 32.
 */
export function softmaxTile(row: usize, state: usize, count: i32, scale: f32): void {
  for (let t = count; t & 3; t++) store<f32>(row + (<usize>t << 2), -Infinity);
  const end = row + (<usize>((count + 3) & ~3) << 2);
  const before = load<f32>(state);
  const scales = f32x4.splat(scale);
  let largest = f32x4.splat(before);
  for (let p = row; p < end; p += 16) {
    const s = f32x4.mul(v128.load(p), scales);
    v128.store(p, s);
    largest = f32x4.pmax(largest, s);
  }
  const top = largestLane(largest);
  const tops = f32x4.splat(top);
  let sums = f64x2.splat(0);
  for (let p = row; p < end; p += 16) {
    const e = expF32x4(f32x4.sub(v128.load(p), tops));
    v128.store(p, e);
    sums = addLanesF64(sums, e);
  }
  const factor = expF32(before - top);
  store<f32>(row, factor, SCORE_FACTOR);
  store<f32>(state, top);
  const sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  store<f64>(state, load<f64>(state, 8) * <f64>factor + sum, 8);
}

/** out[i] /= the state's sum; n is a multiple of 4. */
export function finishSoftmax(out: usize, state: usize, n: i32): void {
  const divisor = f32x4.splat(<f32>load<f64>(state, 8));
  const end = out + (<usize>n << 2);
  for (; out < end; out += 16) v128.store(out, f32x4.div(v128.load(out), divisor));
}

/** The sums of the lanes of a, b, c and d. */
// @ts-ignore: decorator
@inline
export function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return f32x4.add(
    v128.shuffle<i64>(ab, cd, 0, 2),
    v128.shuffle<i64>(ab, cd, 1, 3),
  );
}
