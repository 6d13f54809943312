// The sparse down-projection: packed slabs (layout.ts), of which only active neurons are touched.

import { loadScaleX4, loadI8x4, loadU8x4 } from "./lanes";
import { Q4, Q4K, Q4M, Q6K, Q8, Q8K, Q8M } from "./layout";
import { rowBytesI16 } from "./quantize";

/** Bytes of the scales and minimums of a block: 256 neurons for K types, else 32; n outputs. */
export function slabHeadBytes(type: i32, n: usize): usize {
  if (type == Q8M || type == Q4M) return 4 * n;
  if (type == Q4K) return 20 * n;
  if (type == Q8K) return 36 * n;
  return type == Q6K ? 18 * n : 2 * n;
}

/** Bytes of one neuron's run of n outputs. */
export function slabRunBytes(type: i32, n: usize): usize {
  if (type == Q8 || type == Q8M || type == Q8K) return n;
  return type == Q6K ? (n >> 2) * 3 : n >> 1;
}

/** Where a slab's runs begin: behind all its heads. */
export function slabRuns(w: usize, type: i32, neurons: i32, n: usize): usize {
  return w + <usize>(type < Q4K ? neurons >> 5 : neurons >> 8) * slabHeadBytes(type, n);
}

// A group is the neurons that share their scales: 16 for types with halves, else 32.

/** The head of the group's block. */
// @ts-ignore: decorator
@inline
function headOf(w: usize, type: i32, group: i32, n: usize): usize {
  const block = type < Q4K ? group : type == Q4K ? group >> 3 : group >> 4;
  return w + <usize>block * slabHeadBytes(type, n);
}

/** The group's own part of its block's head. */
// @ts-ignore: decorator
@inline
function scalesOf(head: usize, type: i32, group: i32, n: usize): usize {
  if (type < Q4K) return head;
  if (type == Q4K) return head + 4 * n + <usize>(group & 7) * 2 * n;
  if (type == Q8K) return head + 4 * n + <usize>(group & 15) * 2 * n;
  return head + 2 * n + <usize>(group & 15) * n;
}

/** f32 scales and minimums of all outputs of a group; the latter 0 where the type has none. */
function unpackScales(to: usize, head: usize, scales: usize, type: i32, n: usize): void {
  for (let o: usize = 0; o < n; o += 4, to += 16) {
    let s = loadScaleX4(type < Q4K ? scales + 2 * o : head + 2 * o);
    let m = f32x4.splat(0);
    if (type >= Q4K) {
      s = f32x4.mul(s, type == Q4K ? loadU8x4(scales + o) : loadI8x4(scales + o));
    }
    if (type == Q8M || type == Q4M) m = loadScaleX4(scales + 2 * n + 2 * o);
    else if (type == Q4K || type == Q8K) {
      const d = f32x4.neg(loadScaleX4(head + 2 * n + 2 * o));
      m = f32x4.mul(d, loadU8x4(scales + n + o));
    }
    v128.store(to, s);
    v128.store(to + 4 * n, m);
  }
}

/** One neuron's values as int8[n]: nibbles less bias. */
function unpackNibbleRun(to: usize, run: usize, n: usize, bias: i8): void {
  const mask = i8x16.splat(15);
  const offset = i8x16.splat(bias);
  for (const end = to + n; to < end; to += 32, run += 16) {
    const v = v128.load(run);
    v128.store(to, i8x16.sub(v128.and(v, mask), offset));
    v128.store(to, i8x16.sub(i8x16.shr_u(v, 4), offset), 16);
  }
}

/** One neuron's values as int8[n]: 6 bits less 32. */
function unpackSixRun(to: usize, run: usize, n: usize): void {
  const nibble = i8x16.splat(15);
  const pair = i8x16.splat(0x30);
  const offset = i8x16.splat(32);
  let high = run + (n >> 1);
  for (const end = to + n; to < end; to += 64, run += 32, high += 16) {
    const v = v128.load(run);
    const w = v128.load(run, 16);
    const h = v128.load(high);
    const h0 = v128.and(i8x16.shl(h, 4), pair);
    const h1 = v128.and(i8x16.shl(h, 2), pair);
    const h2 = v128.and(h, pair);
    const h3 = v128.and(i8x16.shr_u(h, 2), pair);
    v128.store(to, i8x16.sub(v128.or(v128.and(v, nibble), h0), offset));
    v128.store(to, i8x16.sub(v128.or(i8x16.shr_u(v, 4), h1), offset), 16);
    v128.store(to, i8x16.sub(v128.or(v128.and(w, nibble), h2), offset), 32);
    v128.store(to, i8x16.sub(v128.or(i8x16.shr_u(w, 4), h3), offset), 48);
  }
}

/**
 * y += the pairs' neurons times their activations, times the scales [+ minimums]; 32 outputs at a
 * time. A pair: address of neuron 0's int8[n], of neuron 1's, and their two i16 activations.
 */
// @ts-ignore: decorator
@inline
function addNeurons(
  y: usize,
  n: usize,
  pairs: usize,
  pairsEnd: usize,
  scales: usize,
  activationScale: f32,
  activationSum: f32,
  kind: i32,
): void {
  const scale = f32x4.splat(activationScale);
  const total = f32x4.splat(activationSum);
  for (let o: usize = 0; o < n; o += 32, y += 128) {
    let acc0 = i32x4.splat(0);
    let acc1 = i32x4.splat(0);
    let acc2 = i32x4.splat(0);
    let acc3 = i32x4.splat(0);
    let acc4 = i32x4.splat(0);
    let acc5 = i32x4.splat(0);
    let acc6 = i32x4.splat(0);
    let acc7 = i32x4.splat(0);
    for (let p = pairs; p < pairsEnd; p += 12) {
      const r0 = load<usize>(p) + o;
      const r1 = load<usize>(p, 4) + o;
      const a = v128.load32_splat(p, 8);
      const u0 = v128.load(r0);
      const u1 = v128.load(r1);
      const lo = v128.shuffle<i8>(u0, u1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      acc0 = i32x4.add(acc0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(lo), a));
      acc1 = i32x4.add(acc1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(lo), a));
      const hi = v128.shuffle<i8>(
        u0, u1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
      );
      acc2 = i32x4.add(acc2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(hi), a));
      acc3 = i32x4.add(acc3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(hi), a));
      const v0 = v128.load(r0, 16);
      const v1 = v128.load(r1, 16);
      const lo2 = v128.shuffle<i8>(v0, v1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      acc4 = i32x4.add(acc4, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(lo2), a));
      acc5 = i32x4.add(acc5, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(lo2), a));
      const hi2 = v128.shuffle<i8>(
        v0, v1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
      );
      acc6 = i32x4.add(acc6, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(hi2), a));
      acc7 = i32x4.add(acc7, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(hi2), a));
    }
    addScaledDots(y, acc0, scales, o, n, scale, total, kind);
    addScaledDots(y + 16, acc1, scales, o + 4, n, scale, total, kind);
    addScaledDots(y + 32, acc2, scales, o + 8, n, scale, total, kind);
    addScaledDots(y + 48, acc3, scales, o + 12, n, scale, total, kind);
    addScaledDots(y + 64, acc4, scales, o + 16, n, scale, total, kind);
    addScaledDots(y + 80, acc5, scales, o + 20, n, scale, total, kind);
    addScaledDots(y + 96, acc6, scales, o + 24, n, scale, total, kind);
    addScaledDots(y + 112, acc7, scales, o + 28, n, scale, total, kind);
  }
}

/** How addNeurons finds scales: f16 as in the slab, or f32 with minimums n floats on. */
const F16_SCALES: i32 = 0;
const F32_SCALES: i32 = 1;

/** Four outputs of addNeurons. */
// @ts-ignore: decorator
@inline
function addScaledDots(
  y: usize,
  dots: v128,
  scales: usize,
  o: usize,
  n: usize,
  scale: v128,
  total: v128,
  kind: i32,
): void {
  const weightScale = kind == F16_SCALES ? loadScaleX4(scales + 2 * o) : v128.load(scales + 4 * o);
  const product = f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.mul(weightScale, scale));
  let sum = f32x4.add(v128.load(y), product);
  if (kind == F32_SCALES) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(scales + 4 * n + 4 * o), total));
  }
  v128.store(y, sum);
}

/**
 * Y = X W^T for a slab, touching only the active neurons.
 *
 *   y         f32[n, outputs]    out
 *   w         slab[neurons, outputs] of `type`, layout.ts
 *   x         n rows of quantizeI16(neurons), mostly zero
 *   active    u32[n] counts, then u32[n, neurons]: each token's active neurons, ascending
 *   scratch   4 * n + 16 * 12 + outputs * 40 + 16 bytes
 *
 * Requires outputs % 32 == 0 (64 for Q6K), neurons % 32 == 0 (256 for K types). Neurons outside the
 * list contribute exactly nothing. A row of Y does not depend on n.
 */
export function sparseMatmulI16(
  y: usize,
  w: usize,
  type: i32,
  x: usize,
  active: usize,
  n: i32,
  shape: usize,
  scratch: usize,
): void {
  const neurons = load<i32>(shape);
  const outputs = <usize>load<i32>(shape, 4);
  const groupBits = type == Q8K || type == Q6K ? 4 : 5;
  const groups = neurons >> groupBits;
  const cursors = scratch;
  const pairs = (cursors + (<usize>n << 2) + 15) & ~15;
  const scales = pairs + 16 * 12;
  const unpackedRuns = scales + 8 * outputs;
  const runs = slabRuns(w, type, neurons, outputs);
  const runBytes = slabRunBytes(type, outputs);
  memory.fill(y, 0, <usize>n * outputs * 4);
  memory.fill(cursors, 0, <usize>n << 2);
  const lists = active + (<usize>n << 2);
  const row = rowBytesI16(neurons);
  let touched = 0;
  for (let g = 0; g < groups; g++) {
    if (n == 1 && (g & (AHEAD - 1)) == 0) {
      const limit = (g + 2 * AHEAD) << groupBits;
      touched = touchRuns(runs, runBytes, active, touched, limit, pairs);
    }
    const head = headOf(w, type, g, outputs);
    const groupScales = scalesOf(head, type, g, outputs);
    let unpacked = 0;
    let scalesReady = false;
    for (let t = 0; t < n; t++) {
      // The token's active neurons of this group, in pairs.
      const list = lists + <usize>t * (<usize>neurons << 2);
      const count = load<i32>(active + (<usize>t << 2));
      let cursor = load<i32>(cursors + (<usize>t << 2));
      const values = x + <usize>t * row;
      let end = pairs;
      let sum = 0;
      let odd = false;
      for (; cursor < count; cursor++) {
        const neuron = load<i32>(list + (<usize>cursor << 2));
        if (neuron >> groupBits != g) break;
        const index = neuron & ((1 << groupBits) - 1);
        let run = runs + <usize>neuron * runBytes;
        if (runBytes != outputs) {
          const to = unpackedRuns + <usize>index * outputs;
          if (((unpacked >> index) & 1) == 0) unpackRun(to, run, type, outputs);
          unpacked |= 1 << index;
          run = to;
        }
        const value = load<i16>(values + (<usize>neuron << 1));
        sum += <i32>value;
        if (!odd) {
          store<usize>(end, run);
          store<usize>(end, run, 4);
          store<i32>(end, <i32>value & 0xffff, 8);
          end += 12;
        } else {
          store<usize>(end - 8, run);
          store<i16>(end - 2, value);
        }
        odd = !odd;
      }
      store<i32>(cursors + (<usize>t << 2), cursor);
      if (end == pairs) continue;
      const scale = load<f32>(
        values + (<usize>neurons << 1) + (<usize>(g >> (5 - groupBits)) << 2),
      );
      const to = y + <usize>t * (outputs << 2);
      if (type == Q8) {
        addNeurons(to, outputs, pairs, end, groupScales, scale, 0, F16_SCALES);
        continue;
      }
      if (!scalesReady) unpackScales(scales, head, groupScales, type, outputs);
      scalesReady = true;
      addNeurons(to, outputs, pairs, end, scales, scale, scale * <f32>sum, F32_SCALES);
    }
  }
}

/** Groups whose runs are touched together, so that their first misses overlap. */
const AHEAD: i32 = 64;
/** What is touched of a run; the processor's own prefetching goes on from there. */
const TOUCHED_BYTES: usize = 1024;

/**
 * Loads the beginnings of the runs of active neurons below limit, from the list's entry `first` on;
 * returns the entry it came to. 1.2 times on a token's down-projection at 13 % active
 * (bench/kernels.bench.ts sparse).
 */
function touchRuns(
  runs: usize,
  runBytes: usize,
  active: usize,
  first: i32,
  limit: i32,
  unused: usize,
): i32 {
  const count = load<i32>(active);
  const bytes = min(runBytes, TOUCHED_BYTES);
  let lines: u32 = 0;
  for (; first < count; first++) {
    const neuron = load<i32>(active + 4 + (<usize>first << 2));
    if (neuron >= limit) break;
    const run = runs + <usize>neuron * runBytes;
    for (let i: usize = 0; i < bytes; i += 64) lines |= load<u32>(run + i);
  }
  // The loads must have a use: the pairs' scratch, which holds nothing between groups.
  store<u32>(unused, lines);
  return first;
}

/** One neuron's values as int8[n]. */
function unpackRun(to: usize, run: usize, type: i32, n: usize): void {
  if (type == Q6K) unpackSixRun(to, run, n);
  else unpackNibbleRun(to, run, n, type == Q4 ? 8 : 0);
}
