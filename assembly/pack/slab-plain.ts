// Rows of Q8_0 and Q4_0 transposed into slabs, mostly in registers, at the speed of memory.

import { packScales8 } from "../linear/scales";
import { transpose16 } from "./transpose";

/**
 * 32 neurons of `count` outputs of Q8_0 into a slab.
 *
 *   head       their scales: those of the first output
 *   run        the first neuron's run, at the first output; the next is `runBytes` further
 *   src        the first output's block; the next is `rowBytes` further
 *   scratch    256 bytes
 *
 * Returns what packSlab does.
 */
export function packSlabQ8_0(
  head: usize,
  run: usize,
  src: usize,
  count: usize,
  runBytes: usize,
  rowBytes: usize,
  scratch: usize,
): i32 {
  let bad = 0;
  for (let o: usize = 0; o < count; o += 8) {
    bad |= packScales8(head + 2 * o, src + o * rowBytes, rowBytes);
  }
  // Runs are often a power of two apart: 64 outputs of few neurons at a time stay in cache.
  for (let first: usize = 0; first < count; first += 64) {
    const end = min<usize>(first + 64, count);
    for (let j: usize = 0; j < 32; j += 16) {
      for (let o = first; o < end; o += 16) {
        const from = src + o * rowBytes + 2 + j;
        transpose16(run + j * runBytes + o, runBytes, from, rowBytes, scratch);
      }
    }
  }
  return bad;
}

/** The same for Q4_0, with two outputs in a byte of a run; 768 bytes of scratch. */
export function packSlabQ4_0(
  head: usize,
  run: usize,
  src: usize,
  count: usize,
  runBytes: usize,
  rowBytes: usize,
  scratch: usize,
): i32 {
  const columns = scratch + 256;
  const low = i8x16.splat(15);
  const high = i8x16.splat(-16);
  let bad = 0;
  for (let o: usize = 0; o < count; o += 32) {
    const from = src + o * rowBytes;
    for (let i: usize = 0; i < 32; i += 8) {
      bad |= packScales8(head + 2 * (o + i), from + i * rowBytes, rowBytes);
    }
    transpose16(columns, 32, from + 2, rowBytes, scratch);
    transpose16(columns + 16, 32, from + 16 * rowBytes + 2, rowBytes, scratch);
    // A column holds neuron j in its low nibbles, neuron j + 16 in its high ones.
    let to = run + (o >> 1);
    for (let j: usize = 0; j < 16; j++, to += runBytes) {
      const a = v128.load(columns + 32 * j);
      const b = v128.load(columns + 32 * j, 16);
      v128.store(to, v128.bitselect(i16x8.shl(b, 4), a, high));
      v128.store(to + 16 * runBytes, v128.bitselect(i16x8.shr_u(a, 4), b, low));
    }
  }
  return bad;
}
