// The shape of the cache's rows, for attention of one token.
//
//   LatentShape, 28 bytes
//   +-------------------------------------------------------------------------------+
//   |  0  i32  heads that share the rows                                            |
//   |  4  i32  latentDim, values of a row's part 1, which is summed                 |
//   |  8  i32  ropeDim, values of its part 2                                        |
//   | 12  f32  scale of the scores, 1 / sqrt(qk_head_dim)                           |
//   | 16  i32  stride, bytes from row to row                                        |
//   | 20  i32  offset, bytes from a page's address to the first row                 |
//   | 24  i32  unscored, values that scores leave out: 0, or latentDim              |
//   +-------------------------------------------------------------------------------+
//
//                         heads                row              scored   unscored
//   latent, absorbed      all                  [latent, k_pe]   both     0
//   grouped-tied          of a kv head         [v, k]           part 2   latentDim
//   grouped-query         of kv head g         [v, k] at g      part 2   latentDim
//
// If a position has the rows of several kv heads, stride is the bytes of all of them, and offset
// the bytes before g's row.
export const LATENT_DIM: usize = 4;
export const ROPE_DIM: usize = 8;
export const SCALE: usize = 12;
export const STRIDE: usize = 16;
export const OFFSET: usize = 20;
export const UNSCORED: usize = 24;

/** Types of rows. */
export const F32: i32 = 0;
export const F16: i32 = 1;
export const I16: i32 = 2;
export const Q8_0: i32 = 3;
