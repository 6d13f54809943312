// Tiles of a slab for slab-tiles.ts: 32 outputs of all neurons as i16, one scale for each output.

import { Q4, Q4K, Q4M, Q6K, Q8, Q8K } from "../linear/layout";
import { headOf, scalesOf, slabRunBytes, slabRuns } from "./slab-layout";
import { unpackRun, unpackScales } from "./slab-unpack";

/** Largest magnitude of a tile's values. */
const LARGEST_WEIGHT: f32 = 8128;

/** How far a type's integers are shifted up for the rounding product: to 2^13 and less. */
function valueShift(type: i32): i32 {
  if (type == Q8) return 6;
  return type == Q4 || type == Q4M || type == Q4K ? 9 : 8;
}

/**
 * Outputs o .. o + width of all neurons as tiles of 32, and the outputs' scales, f32[width] at
 * scratch. A weight is integer * d + m; over the output's scale that is integer * (d over scale),
 * a rounding product of 16-bit fractions, plus a whole number.
 */
export function fillTile(
  tile: usize,
  w: usize,
  type: i32,
  neurons: usize,
  outputs: usize,
  o: usize,
  width: usize,
  scratch: usize,
): void {
  const shift = valueShift(type);
  const groupBits = type == Q8K || type == Q6K ? 4 : 5;
  const groups = <i32>(neurons >> groupBits);
  const runBytes = slabRunBytes(type, outputs);
  const unpacked = tile + (neurons << 7);
  const floats = unpacked + outputs;
  const most = f32x4.splat(<f32>(8192 >> shift));
  for (let i: usize = 0; i < width; i += 4) v128.store(scratch + (i << 2), f32x4.splat(0));
  for (let g = 0; g < groups; g++) {
    const head = headOf(w, type, g, outputs);
    unpackScales(floats, head, scalesOf(head, type, g, outputs), type, outputs, o, o + width);
    for (let i: usize = 0; i < width; i += 4) {
      const at = floats + ((o + i) << 2);
      const d = f32x4.mul(f32x4.abs(v128.load(at)), most);
      const reach = f32x4.add(d, f32x4.abs(v128.load(at + (outputs << 2))));
      const to = scratch + (i << 2);
      v128.store(to, f32x4.max(v128.load(to), reach));
    }
  }
  for (let i: usize = 0; i < width; i += 4) {
    const to = scratch + (i << 2);
    v128.store(to, f32x4.mul(v128.load(to), f32x4.splat(1 / LARGEST_WEIGHT)));
  }
  const fraction = f32x4.splat(<f32>(32768 >> shift));
  const one = f32x4.splat(1);
  let run = slabRuns(w, type, <i32>neurons, outputs);
  for (let g = 0; g < groups; g++) {
    const head = headOf(w, type, g, outputs);
    unpackScales(floats, head, scalesOf(head, type, g, outputs), type, outputs, o, o + width);
    // In place of the floats: i16 fractions and, behind them, i16 minimums.
    const words = floats + (o << 2);
    const minimums = floats + ((outputs + o) << 2);
    for (let i: usize = 0; i < width; i += 8) {
      storeWords(words + (i << 1), words + (i << 2), scratch + (i << 2), fraction);
      storeWords(minimums + (i << 1), minimums + (i << 2), scratch + (i << 2), one);
    }
    for (let j = 0; j < 1 << groupBits; j++, run += runBytes, tile += 64) {
      let from = run;
      if (runBytes != outputs) {
        unpackRun(unpacked, run, type, outputs, o, o + width);
        from = unpacked;
      }
      for (let i: usize = 0; i < width; i += 8) {
        const value = i16x8.shl(v128.load8x8_s(from + o + i), shift);
        const product = i16x8.q15mulr_sat_s(value, v128.load(words + (i << 1)));
        const to = tile + (i & 31) * 2 + (i >> 5) * (neurons << 6);
        v128.store(to, i16x8.add(product, v128.load(minimums + (i << 1))));
      }
    }
  }
}

/** i16[8] = f32[8] over scales, times factor, rounded. */
// @ts-ignore: decorator
@inline
function storeWords(to: usize, from: usize, scales: usize, factor: v128): void {
  v128.store(
    to,
    i16x8.narrow_i32x4_s(
      overScale(from, scales, factor),
      overScale(from + 16, scales + 16, factor),
    ),
  );
}

// @ts-ignore: decorator
@inline
function overScale(from: usize, scales: usize, factor: v128): v128 {
  const scale = v128.load(scales);
  const quotient = f32x4.div(f32x4.mul(v128.load(from), factor), scale);
  // A scale of zero leaves NaN, which becomes 0.
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(quotient));
}
