// The sparse down-projection: packed slabs (layout.ts); only active neurons are touched.

import { Q4, Q6K, Q8, Q8K } from "../linear/layout";
import { rowBytesI16 } from "../linear/quantize";
import { F16_SCALES, F32_SCALES, NIBBLE_RUNS, addNeurons } from "./slab-add";
import { END, FIRST, OUTPUTS, headOf, scalesOf, slabRunBytes, slabRuns } from "./slab-layout";
import { unpackRun, unpackScales } from "./slab-unpack";

/**
 * Y = X W^T for a slab, touching only the active neurons.
 *
 *   y         f32[n, outputs]    out: outputs first .. end
 *   w         slab[neurons, outputs] of `type`, layout.ts
 *   x         n rows of quantizeI16(neurons), mostly zero
 *   active    u32[n] counts, then u32[n, neurons]: each token's active neurons, ascending
 *   shape     SlabShape (slab-layout.ts)
 *   scratch   4 * n + 16 * 12 + outputs * 40 + 16 bytes
 *
 * Requires first, end and outputs % 32 == 0 (64 for Q6K), neurons % 32 == 0 (256 for K types).
 * Neurons outside the list contribute exactly nothing. A row of Y does not depend on n.
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
  const outputs = <usize>load<i32>(shape, OUTPUTS);
  const first = <usize>load<i32>(shape, FIRST);
  const last = <usize>load<i32>(shape, END);
  const groupBits = type == Q8K || type == Q6K ? 4 : 5;
  const groups = neurons >> groupBits;
  const cursors = scratch;
  const pairs = (cursors + (<usize>n << 2) + 15) & ~15;
  const scales = pairs + 16 * 12;
  const unpackedRuns = scales + 8 * outputs;
  const runs = slabRuns(w, type, neurons, outputs);
  const runBytes = slabRunBytes(type, outputs);
  for (let t: usize = 0; t < <usize>n; t++) {
    memory.fill(y + ((t * outputs + first) << 2), 0, (last - first) << 2);
  }
  memory.fill(cursors, 0, <usize>n << 2);
  const lists = active + (<usize>n << 2);
  const row = rowBytesI16(neurons);
  let touched = 0;
  for (let g = 0; g < groups; g++) {
    if (n == 1 && (g & (AHEAD - 1)) == 0) {
      const limit = (g + 2 * AHEAD) << groupBits;
      touched = touchRuns(runs, runBytes, shape, active, touched, limit, pairs);
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
        if (runBytes != outputs && type != Q4) {
          const to = unpackedRuns + <usize>index * outputs;
          if (((unpacked >> index) & 1) == 0) unpackRun(to, run, type, outputs, first, last);
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
        addNeurons(to, shape, pairs, end, groupScales, scale, 0, F16_SCALES);
        continue;
      }
      if (type == Q4) {
        addNeurons(to, shape, pairs, end, groupScales, scale, <f32>sum, NIBBLE_RUNS);
        continue;
      }
      if (!scalesReady) unpackScales(scales, head, groupScales, type, outputs, first, last);
      scalesReady = true;
      addNeurons(to, shape, pairs, end, scales, scale, scale * <f32>sum, F32_SCALES);
    }
  }
}

/** Groups touched together, so that the first cache misses of their runs overlap. */
const AHEAD: i32 = 64;
/** Bytes of a run that are touched; the processor's own prefetching continues from there. */
const TOUCHED_BYTES: usize = 1024;

/**
 * Loads the beginnings of the runs of active neurons below limit, from the list's entry `first` on;
 * returns the entry where it stopped. Makes a token's down-projection 1.2 times as fast at 13 %
 * active (bench/kernels.bench.ts sparse).
 */
function touchRuns(
  runs: usize,
  runBytes: usize,
  shape: usize,
  active: usize,
  first: i32,
  limit: i32,
  unused: usize,
): i32 {
  const count = load<i32>(active);
  const outputs = load<i32>(shape, OUTPUTS);
  const from = (runBytes * load<i32>(shape, FIRST)) / outputs;
  const bytes = min((runBytes * load<i32>(shape, END)) / outputs - from, TOUCHED_BYTES);
  let lines: u32 = 0;
  for (; first < count; first++) {
    const neuron = load<i32>(active + 4 + (<usize>first << 2));
    if (neuron >= limit) break;
    const run = runs + <usize>neuron * runBytes + from;
    for (let i: usize = 0; i < bytes; i += 64) lines |= load<u32>(run + i);
  }
  // The loads must have a use: the pairs' scratch, which holds nothing between groups.
  store<u32>(unused, lines);
  return first;
}
