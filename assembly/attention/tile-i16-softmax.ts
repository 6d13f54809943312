// Softmax of one tile of attention in integers: from groups of scores to groups of weights.
import { SMALLEST_AMAX } from "./cache";
import { addLanesF64Each, expF32x4 } from "../exp";
import { roundedBits } from "../lanes";
import { GROUP_FACTOR, GROUP_SCALE, GROUP_SCORES, GROUP_STATE, LARGEST_SUM } from "./tile-i16";

/** softmaxTileI16 of all groups of one token's heads, which see the first `seen` positions. */
// @ts-ignore: decorator
@inline
export function softmaxHeads(
  scores: usize,
  states: usize,
  groups: i32,
  count: i32,
  seen: i32,
  scales: usize,
  scaleBytes: usize,
): void {
  for (let g: usize = 0; g < <usize>groups; g++) {
    const state = states + g * GROUP_STATE;
    softmaxTileI16(scores + g * GROUP_SCORES, state, count, seen, seen, scales, scaleBytes);
  }
}

/**
 * Online softmax of a group: weight = e^(score - largest) times the scale of the position's values,
 * as integers over one scale per query and tile. Since the values' scale is included, a large
 * weight on a position of small values takes no bits from the others. A weight has 15 bits of the
 * largest or 18 of their sum, whichever is less.
 *
 *   scores    group of scores   f32[count][4] in; weights, factors e^(largest before - largest) for
 *                               the sums so far, and scales out
 *   state     state of a group  in and out
 *   visible   query i of the group sees positions t < min(visible + i, most)
 *   scales    f32 at scales + t * scaleBytes
 *
 * Requires count a multiple of 4, 4 <= count <= 64.
 */
export function softmaxTileI16(
  scores: usize,
  state: usize,
  count: i32,
  visible: i32,
  most: i32,
  scales: usize,
  scaleBytes: usize,
): void {
  const end = scores + (<usize>count << 4);
  hideScores(scores, count, visible, most);
  const before = v128.load(state);
  let top = before;
  for (let p = scores; p < end; p += 16) top = f32x4.pmax(top, v128.load(p));
  let sum = f32x4.splat(0);
  let total = f32x4.splat(0);
  let largest = f32x4.splat(0);
  for (let p = scores; p < end; p += 16, scales += scaleBytes) {
    const e = expF32x4(f32x4.sub(v128.load(p), top));
    const weight = f32x4.mul(e, v128.load32_splat(scales));
    v128.store(p, weight);
    sum = f32x4.add(sum, e);
    total = f32x4.add(total, weight);
    largest = f32x4.pmax(largest, weight);
  }
  const factor = expF32x4(f32x4.sub(before, top));
  v128.store(state, top);
  addLanesF64Each(state + 16, factor, sum);
  // NaN is in the total.
  const unit = f32x4.max(
    f32x4.mul(largest, f32x4.splat(1 / <f32>32767)),
    f32x4.mul(total, f32x4.splat(1 / LARGEST_SUM)),
  );
  const none = f32x4.lt(unit, f32x4.splat(SMALLEST_AMAX));
  const inverse = v128.andnot(f32x4.div(f32x4.splat(1), unit), none);
  v128.store(scores, factor, GROUP_FACTOR);
  v128.store(scores, v128.andnot(unit, none), GROUP_SCALE);
  // In place: the integers never overtake the floats.
  let to = scores;
  for (let p = scores; p < end; p += 32, to += 16) {
    const even = v128.and(roundedBits(v128.load(p), inverse), i32x4.splat(0xffff));
    const odd = i32x4.shl(roundedBits(v128.load(p, 16), inverse), 16);
    v128.store(to, v128.or(even, odd));
  }
}

/** Minus infinity where t >= min(visible + i, most). */
// @ts-ignore: decorator
@inline
function hideScores(scores: usize, count: i32, visible: i32, most: i32): void {
  const ends = i32x4.min_s(i32x4.add(i32x4.splat(visible), i32x4(0, 1, 2, 3)), i32x4.splat(most));
  const first = max(min(visible, most), 0);
  for (let t = first; t < count; t++) {
    const p = scores + (<usize>t << 4);
    const seen = i32x4.gt_s(ends, i32x4.splat(t));
    v128.store(p, v128.bitselect(v128.load(p), f32x4.splat(-Infinity), seen));
  }
}
