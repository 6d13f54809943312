// The largest elements of a row.
import { largestLane } from "./exp";

/**
 * Index of the largest element of x, the lowest of equals.
 *
 *   x   f32[n]
 *
 * NaN is passed over; -1 if nothing else is there. Any n and alignment.
 */
export function argmaxF32(x: usize, n: i32): i32 {
  let largest = f32x4.splat(-Infinity);
  let i = 0;
  for (; i < (n & ~3); i += 4) {
    largest = f32x4.pmax(largest, v128.load(x + (<usize>i << 2)));
  }
  let top = largestLane(largest);
  for (; i < n; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    if (value > top) top = value;
  }
  for (i = 0; i < n; i++) {
    if (load<f32>(x + (<usize>i << 2)) == top) return i;
  }
  return -1;
}

/** x[i] as an integer in the same order; -0 as +0, NaN below everything. */
// @ts-ignore: decorator
@inline
function sortKey(x: usize, i: u32): i32 {
  const value = load<f32>(x + (<usize>i << 2)) + 0;
  const bits = reinterpret<i32>(value);
  return value == value ? bits ^ ((bits >> 31) & 0x7fffffff) : i32.MIN_VALUE;
}

/** Whether a comes after b in the order of topKF32. */
// @ts-ignore: decorator
@inline
function isAfter(x: usize, a: u32, b: u32): bool {
  const keyA = sortKey(x, a);
  const keyB = sortKey(x, b);
  return keyA < keyB || (keyA == keyB && a > b);
}

/** Puts index `item` into the heap at `slot`, below its children; the root comes last in order. */
function siftDown(x: usize, heap: usize, size: i32, slot: i32, item: u32): void {
  while (true) {
    let child = 2 * slot + 1;
    if (child >= size) break;
    let index = load<u32>(heap + (<usize>child << 2));
    if (child + 1 < size) {
      const sibling = load<u32>(heap + (<usize>(child + 1) << 2));
      if (isAfter(x, sibling, index)) {
        index = sibling;
        child++;
      }
    }
    if (!isAfter(x, index, item)) break;
    store<u32>(heap + (<usize>slot << 2), index);
    slot = child;
  }
  store<u32>(heap + (<usize>slot << 2), item);
}

/**
 * Indices of the k largest elements of x, largest first, the lowest index first among equals.
 *
 *   x         f32[n]
 *   indices   u32[k]   out
 *
 * Requires 0 <= k <= n. NaN comes after everything else. Any alignment; n log k steps at most.
 */
export function topKF32(x: usize, n: i32, k: i32, indices: usize): void {
  if (k <= 0) return;
  for (let i = 0; i < k; i++) store<u32>(indices + (<usize>i << 2), i);
  for (let slot = (k >> 1) - 1; slot >= 0; slot--) {
    siftDown(x, indices, k, slot, load<u32>(indices + (<usize>slot << 2)));
  }
  // A later index beats the root only if its element is larger.
  let threshold = sortKey(x, load<u32>(indices));
  for (let i = k; i < n; i++) {
    if (sortKey(x, i) > threshold) {
      siftDown(x, indices, k, 0, i);
      threshold = sortKey(x, load<u32>(indices));
    }
  }
  for (let size = k - 1; size > 0; size--) {
    const end = indices + (<usize>size << 2);
    const item = load<u32>(end);
    store<u32>(end, load<u32>(indices));
    siftDown(x, indices, size, 0, item);
  }
}
