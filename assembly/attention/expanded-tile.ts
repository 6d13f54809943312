// The sizes and positions of attention in expanded form, and one head's rows of a tile.

//   ExpandedTile, 48 bytes
//   +----------------------------------------------------------------+
//   |  0  i32  queries, n                                            |
//   |  4  i32  heads                                                 |
//   |  8  i32  nopeDim, qk_nope_head_dim                             |
//   | 12  i32  ropeDim, qk_rope_head_dim                             |
//   | 16  i32  valueDim, v_head_dim                                  |
//   | 20  f32  scale, 1 / sqrt(qk_head_dim)                          |
//   | 24  i32  queryPosition: the position of the first query        |
//   | 28  i32  tilePosition: the position of the tile's first row    |
//   | 32  i32  count: the tile's positions                           |
//   | 36  i32  kPeStride: elements from one row of kPe to the next   |
//   | 40  i32  firstHead: the first head that this call computes     |
//   | 44  i32  endHead: one after the last                           |
//   +----------------------------------------------------------------+
export const HEADS: usize = 4;
export const NOPE_DIM: usize = 8;
export const ROPE_DIM: usize = 12;
export const VALUE_DIM: usize = 16;
export const SCALE: usize = 20;
export const QUERY_POSITION: usize = 24;
export const TILE_POSITION: usize = 28;
export const COUNT: usize = 32;
export const K_PE_STRIDE: usize = 36;
export const FIRST_HEAD: usize = 40;
export const END_HEAD: usize = 44;

/** Adjacent rows [k_nope | k_pe | v] of head h; in kv a head's rows are too far apart. */
export function gatherRows(
  target: usize,
  kv: usize,
  kPe: usize,
  tile: usize,
  h: i32,
  first: i32,
  count: i32,
): void {
  const nopeBytes = <usize>load<i32>(tile, NOPE_DIM) << 2;
  const ropeBytes = <usize>load<i32>(tile, ROPE_DIM) << 2;
  const valueBytes = <usize>load<i32>(tile, VALUE_DIM) << 2;
  const headBytes = nopeBytes + valueBytes;
  const heads = <usize>load<i32>(tile, HEADS);
  const kPeBytes = <usize>load<i32>(tile, K_PE_STRIDE) << 2;
  for (let t = <usize>first; t < <usize>(first + count); t++) {
    const source = kv + (t * heads + <usize>h) * headBytes;
    memory.copy(target, source, nopeBytes);
    memory.copy(target + nopeBytes, kPe + t * kPeBytes, ropeBytes);
    memory.copy(target + nopeBytes + ropeBytes, source + nopeBytes, valueBytes);
    target += nopeBytes + ropeBytes + valueBytes;
  }
}
