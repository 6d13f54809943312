// A slab's scales as floats and its neurons as int8, for the types that do not hold them so.

import { loadI8x4, loadScaleX4, loadU8x4 } from "../lanes";
import { Q4, Q4K, Q4M, Q6K, Q8K, Q8M } from "../linear/layout";

/**
 * f32 scales and minimums of outputs first .. end of a group; the latter 0 where the type has none.
 */
export function unpackScales(
  to: usize,
  head: usize,
  scales: usize,
  type: i32,
  n: usize,
  first: usize,
  end: usize,
): void {
  to += first << 2;
  for (let o = first; o < end; o += 4, to += 16) {
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

/** n values of a neuron as int8: nibbles less bias. */
function unpackNibbleRun(to: usize, run: usize, n: usize, bias: i8): void {
  const mask = i8x16.splat(15);
  const offset = i8x16.splat(bias);
  for (const end = to + n; to < end; to += 32, run += 16) {
    const v = v128.load(run);
    v128.store(to, i8x16.sub(v128.and(v, mask), offset));
    v128.store(to, i8x16.sub(i8x16.shr_u(v, 4), offset), 16);
  }
}

/** n values of a neuron as int8: 6 bits less 32, their high bits at `high`. */
function unpackSixRun(to: usize, run: usize, high: usize, n: usize): void {
  const nibble = i8x16.splat(15);
  const pair = i8x16.splat(0x30);
  const offset = i8x16.splat(32);
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

/** Outputs first .. end of a neuron's n as int8, each at its place in `to`. */
export function unpackRun(
  to: usize,
  run: usize,
  type: i32,
  n: usize,
  first: usize,
  end: usize,
): void {
  const low = run + (first >> 1);
  if (type == Q6K) unpackSixRun(to + first, low, run + (n >> 1) + (first >> 2), end - first);
  else unpackNibbleRun(to + first, low, end - first, type == Q4 ? 8 : 0);
}
