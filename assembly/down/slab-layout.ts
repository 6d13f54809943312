// Where the parts of a slab lie (drawn in layout.ts).

import { Q4K, Q4M, Q6K, Q8, Q8K, Q8M } from "../linear/layout";

//   SlabShape, 16 bytes: what a product is given
//   +------------------------------------------------------------+
//   |  0  i32  neurons                                           |
//   |  4  i32  outputs                                           |
//   |  8  i32  first: the first output that this call writes     |
//   | 12  i32  end: one past the last                            |
//   +------------------------------------------------------------+
export const OUTPUTS: usize = 4;
export const FIRST: usize = 8;
export const END: usize = 12;

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

/** Where a slab's runs begin: behind all heads. */
export function slabRuns(w: usize, type: i32, neurons: i32, n: usize): usize {
  return w + <usize>(type < Q4K ? neurons >> 5 : neurons >> 8) * slabHeadBytes(type, n);
}

// A group is the neurons that share their scales: 16 for types with halves, else 32.

/** The head of the group's block. */
// @ts-ignore: decorator
@inline
export function headOf(w: usize, type: i32, group: i32, n: usize): usize {
  const block = type < Q4K ? group : type == Q4K ? group >> 3 : group >> 4;
  return w + <usize>block * slabHeadBytes(type, n);
}

/** The group's own part of its block's head. */
// @ts-ignore: decorator
@inline
export function scalesOf(head: usize, type: i32, group: i32, n: usize): usize {
  if (type < Q4K) return head;
  if (type == Q4K) return head + 4 * n + <usize>(group & 7) * 2 * n;
  if (type == Q8K) return head + 4 * n + <usize>(group & 15) * 2 * n;
  return head + 2 * n + <usize>(group & 15) * n;
}
