// From each token's list of columns to each column's list of tokens.

import { PAIR } from "./relu2-pairs";

/**
 * Column j's pairs are (token, value) for each token with a pair (j, value), ascending.
 *
 *   to         n pairs of room for each column, absolute: column j's at to + j * n * 8   out
 *   toCounts   u32, column j's at toCounts + j * 4   out
 *   pairs      `width` pairs of room for each token; (column, value), ascending
 *   counts     u32[n]   pairs of each token
 *
 * Writes those of columns first .. end only.
 */
export function transposePairs(
  to: usize,
  toCounts: usize,
  pairs: usize,
  counts: usize,
  n: i32,
  width: i32,
  first: i32,
  end: i32,
): void {
  memory.fill(toCounts + (<usize>first << 2), 0, <usize>(end - first) << 2);
  const columnBytes = <usize>n * PAIR;
  for (let token = 0; token < n; token++, pairs += <usize>width * PAIR, counts += 4) {
    const listEnd = pairs + load<usize>(counts) * PAIR;
    for (let p = firstFrom(pairs, listEnd, first); p < listEnd; p += PAIR) {
      const column = load<u32>(p);
      if (column >= <u32>end) break;
      const countAt = toCounts + (<usize>column << 2);
      const count = load<u32>(countAt);
      const at = to + <usize>column * columnBytes + <usize>count * PAIR;
      store<u32>(at, token);
      store<u32>(at, load<u32>(p, 4), 4);
      store<u32>(countAt, count + 1);
    }
  }
}

/** The first pair of an ascending list with an index >= `first`; the list's end if none. */
// @ts-ignore: decorator
@inline
function firstFrom(list: usize, end: usize, first: i32): usize {
  let low = list;
  while (low < end) {
    const middle = low + (((end - low) / PAIR) >> 1) * PAIR;
    if (load<u32>(middle) < <u32>first) low = middle + PAIR;
    else end = middle;
  }
  return low;
}
