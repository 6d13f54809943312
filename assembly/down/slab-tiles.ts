// The sparse down-projection of many tokens: a tile of outputs is brought to one scale for each
// output, so that a token adds up its active neurons without looking at scales.
//
//   a tile      i16[neurons][32 outputs]: w over the output's scale, |value| <= 8191
//   a pair      u16 neuron, u16 neuron, i16 x, i16 x: two active neurons, x over the token's scale
//
// Both round to 13 bits of their largest.

import { pairHigh, pairLow } from "../lanes";
import { fillTile } from "./slab-fill";
import { END, FIRST, OUTPUTS } from "./slab-layout";

/**
 * Largest magnitude of x; with slab-fill.ts's of a tile's, 16 pairs of products stay below 2^31.
 */
const LARGEST_X: f32 = 8191;
/** Bytes of pairs that are summed as integers. */
const FLUSH_BYTES: usize = 16 * 8;

/**
 * A token's list of active neurons as pairs, in place; the last pair is filled up with x = 0.
 *
 *   list    u32[count] in, ascending or not; pairs[(count + 1) / 2] out
 *   x       f32[neurons], neurons <= 65536
 *
 * Returns the scale of the pairs' x: the largest |x| / 8191. NaN and infinity make it NaN.
 */
export function pairActiveF32(list: usize, count: i32, x: usize): f32 {
  let largest: f32 = 0;
  const end = list + (<usize>count << 2);
  for (let p = list; p < end; p += 4) {
    largest = max(largest, abs(load<f32>(x + (load<usize>(p) << 2))));
  }
  const inverse: f32 = largest == 0 ? 0 : LARGEST_X / largest;
  const factor: f32 = inverse < Infinity ? inverse : 0;
  for (let p = list; p < end; p += 8) {
    const a = load<usize>(p);
    const b = p + 4 < end ? load<usize>(p, 4) : a;
    const xa = <i32>nearest(load<f32>(x + (a << 2)) * factor);
    const xb = p + 4 < end ? <i32>nearest(load<f32>(x + (b << 2)) * factor) : 0;
    store<u32>(p, <u32>a | (<u32>b << 16));
    store<u32>(p, (<u32>xa & 0xffff) | (<u32>xb << 16), 4);
  }
  return largest < Infinity ? largest / LARGEST_X : NaN;
}

/**
 * Y = X W^T for a slab, many tokens, touching only active neurons.
 *
 *   y         f32[n, outputs]    out: outputs first .. end
 *   w         slab[neurons, outputs] of `type`, layout.ts
 *   active    u32[n] counts, then n lists of pairs, 4 * neurons bytes apart
 *   scales    f32[n]             of pairActiveF32
 *   n         tokens
 *   shape     SlabShape (slab-layout.ts)
 *   scratch   tiledScratchBytes bytes (src/kernels/packed.ts)
 *
 * Requires first, end and outputs % 32 == 0 (64 for Q6K), neurons % 32 == 0 (256 for K types) and
 * at most 65536. A row of Y does not depend on n.
 */
export function sparseMatmulTiles(
  y: usize,
  w: usize,
  type: i32,
  active: usize,
  scales: usize,
  n: i32,
  shape: usize,
  scratch: usize,
): void {
  const neurons = <usize>load<i32>(shape);
  const outputs = <usize>load<i32>(shape, OUTPUTS);
  const last = <usize>load<i32>(shape, END);
  const tile = scratch + 256;
  for (let o = <usize>load<i32>(shape, FIRST); o < last; o += 64) {
    const width = min<usize>(64, last - o);
    fillTile(tile, w, type, neurons, outputs, o, width, scratch);
    for (let half: usize = 0; half < width; half += 32) {
      let list = active + (<usize>n << 2);
      const to = y + ((o + half) << 2);
      for (let t: usize = 0; t < <usize>n; t++, list += neurons << 2) {
        const pairs = (load<usize>(active + (t << 2)) + 1) >> 1;
        const scale = load<f32>(scales + (t << 2));
        const from = tile + half * (neurons << 1);
        const listEnd = list + (pairs << 3);
        addPairs32(to + t * (outputs << 2), from, list, listEnd, scratch + (half << 2), scale);
      }
    }
  }
}

/** 32 outputs of one token. */
function addPairs32(
  y: usize,
  tile: usize,
  p: usize,
  end: usize,
  scales: usize,
  scale: f32,
): void {
  for (let i: usize = 0; i < 128; i += 16) v128.store(y + i, f32x4.splat(0));
  while (p < end) {
    let acc0 = i32x4.splat(0);
    let acc1 = acc0;
    let acc2 = acc0;
    let acc3 = acc0;
    let acc4 = acc0;
    let acc5 = acc0;
    let acc6 = acc0;
    let acc7 = acc0;
    for (const stop = min(p + FLUSH_BYTES, end); p < stop; p += 8) {
      const r0 = tile + (<usize>load<u16>(p) << 6);
      const r1 = tile + (<usize>load<u16>(p, 2) << 6);
      const x = v128.load32_splat(p, 4);
      const a0 = v128.load(r0);
      const b0 = v128.load(r1);
      acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(pairLow(a0, b0), x));
      acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(pairHigh(a0, b0), x));
      const a1 = v128.load(r0, 16);
      const b1 = v128.load(r1, 16);
      acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(pairLow(a1, b1), x));
      acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(pairHigh(a1, b1), x));
      const a2 = v128.load(r0, 32);
      const b2 = v128.load(r1, 32);
      acc4 = i32x4.add(acc4, i32x4.dot_i16x8_s(pairLow(a2, b2), x));
      acc5 = i32x4.add(acc5, i32x4.dot_i16x8_s(pairHigh(a2, b2), x));
      const a3 = v128.load(r0, 48);
      const b3 = v128.load(r1, 48);
      acc6 = i32x4.add(acc6, i32x4.dot_i16x8_s(pairLow(a3, b3), x));
      acc7 = i32x4.add(acc7, i32x4.dot_i16x8_s(pairHigh(a3, b3), x));
    }
    addFloats(y, acc0);
    addFloats(y + 16, acc1);
    addFloats(y + 32, acc2);
    addFloats(y + 48, acc3);
    addFloats(y + 64, acc4);
    addFloats(y + 80, acc5);
    addFloats(y + 96, acc6);
    addFloats(y + 112, acc7);
  }
  const factor = f32x4.splat(scale);
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(y + i, f32x4.mul(v128.load(y + i), f32x4.mul(v128.load(scales + i), factor)));
  }
}

// @ts-ignore: decorator
@inline
function addFloats(y: usize, sums: v128): void {
  v128.store(y, f32x4.add(v128.load(y), f32x4.convert_i32x4_s(sums)));
}
