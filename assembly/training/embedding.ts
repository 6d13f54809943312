// Rows of a table by their ids, forward and backward.

/**
 * x[i, :] = table[ids[i], :]
 *
 *   x       f32[n, cols]   out
 *   table   f32[, cols]
 *   ids     u32[n]
 *
 * Any sizes and alignment.
 */
export function gatherRows(x: usize, table: usize, ids: usize, n: i32, cols: i32): void {
  const rowBytes = <usize>cols << 2;
  for (let i = 0; i < n; i++, x += rowBytes, ids += 4) {
    memory.copy(x, table + load<usize>(ids) * rowBytes, rowBytes);
  }
}

/**
 * dtable[ids[i], first .. end) += dx[i, first .. end), in the order of i
 *
 *   dtable   f32[, cols]    in and out
 *   ids      u32[n]
 *   dx       f32[n, cols]
 *
 * Any sizes and alignment; ids may repeat.
 */
export function scatterAddRows(
  dtable: usize,
  ids: usize,
  dx: usize,
  n: i32,
  cols: i32,
  first: i32,
  end: i32,
): void {
  const rowBytes = <usize>cols << 2;
  const firstByte = <usize>first << 2;
  const vectorEnd = firstByte + (<usize>((end - first) & ~3) << 2);
  for (let i = 0; i < n; i++, dx += rowBytes, ids += 4) {
    const row = dtable + load<usize>(ids) * rowBytes;
    let c = firstByte;
    for (; c < vectorEnd; c += 16) {
      v128.store(row + c, f32x4.add(v128.load(row + c), v128.load(dx + c)));
    }
    for (; c < <usize>end << 2; c += 4) {
      store<f32>(row + c, load<f32>(row + c) + load<f32>(dx + c));
    }
  }
}
