// Attention of one token over pages of the cache: several heads against the same rows. This file
// has the loop over pages and the states; tiles of positions are added by latent-f32.ts,
// latent-i16.ts and, for q8_0 rows in the relaxed variant, latent-s8.ts.
import { PAGE_ROWS } from "./cache";
import { attendTileF32 } from "./latent-f32";
import { attendTileI16, packQueriesI16 } from "./latent-i16";
import { attendTileS8, packQueriesS8 } from "./latent-s8";
import { F16, F32, I16, LATENT_DIM, OFFSET, Q8_0, STRIDE } from "./latent-shape";
import { finishSoftmax, SCORE_ROW, SOFTMAX_STATE, startSoftmax, TILE } from "./tile";
import { finishHeads, GROUP_SCORES, GROUP_STATE, startGroups } from "./tile-i16";

/**
 * out_h = sum over t of softmax_t(scale q_h . scored part of row_t) latent_t
 *
 *   out       f32[heads, latentDim]                        out
 *   q         f32[heads, latentDim + ropeDim - unscored]   MLA: absorbed query, then rotated q_pe
 *   pages     u32[ceil(positions / PAGE_ROWS)]             a page's address
 *   page      f32 rows[PAGE_ROWS] of the cache (cache.ts), `stride` bytes apart, from `offset` on
 *   shape     LatentShape (latent-shape.ts)
 *   scratch   attendLatentScratchBytes bytes (src/kernels/packed.ts)
 *
 * Requires heads >= 1, positions >= 1, latentDim and ropeDim multiples of 8, stride of at least a
 * row's bytes; out and scratch apart from each other and the rest. Any alignment. Rows past
 * positions are not read. The softmax's sum is f64, all else f32.
 */
export function attendLatentF32(
  out: usize,
  q: usize,
  pages: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attend(out, q, pages, positions, shape, scratch, F32);
}

/**
 * attendLatentF32, on i16 rows, in integers: one scale for a query's latent part, one for its rope
 * part, and one per head for the weights of 64 positions; each usually keeps 14 bits or more
 * (tile-i16.ts).
 */
export function attendLatentI16(
  out: usize,
  q: usize,
  pages: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attend(out, q, pages, positions, shape, scratch, I16);
}

/**
 * attendLatentF32, on f16 rows: each becomes an i16 row, as if stored as one; then as
 * attendLatentI16.
 */
export function attendLatentF16(
  out: usize,
  q: usize,
  pages: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attend(out, q, pages, positions, shape, scratch, F16);
}

/**
 * attendLatentF32, on q8_0 rows: each becomes an i16 row, within 1/8191 of its largest value; then
 * as attendLatentI16. Requires multiples of 32 and |q| <= 127, as storeLatentQ8_0 writes. In the
 * relaxed variant rows stay as they are; a query has a scale for every 32 dims, and 8 bits in its
 * latent part, 16 in its rope part (tile-s8.ts).
 */
export function attendLatentQ8_0(
  out: usize,
  q: usize,
  pages: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attend(out, q, pages, positions, shape, scratch, Q8_0);
}

/** Scratch has scores, states, the queries as integers, and a tile's scratch, in this order. */
// @ts-ignore: decorator
@inline
function attend(
  out: usize,
  q: usize,
  pages: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
  type: i32,
): void {
  const isFloat = type == F32;
  const isRelaxed = ASC_FEATURE_RELAXED_SIMD && type == Q8_0;
  const heads = load<i32>(shape);
  const groups = (heads + 3) >> 2;
  const latentDim = load<i32>(shape, LATENT_DIM);
  const outBytes = <usize>latentDim << 2;
  const stride = <usize>load<i32>(shape, STRIDE);
  const offset = <usize>load<i32>(shape, OFFSET);
  const states = scratch + <usize>(isFloat ? heads : groups) * (isFloat ? SCORE_ROW : GROUP_SCORES);
  const queries = states + <usize>groups * GROUP_STATE;
  let rest = queries;
  if (isFloat) startSoftmax(states, heads);
  else startGroups(states, groups);
  if (isRelaxed) rest = packQueriesS8(queries, q, shape);
  else if (!isFloat) rest = packQueriesI16(queries, q, shape);
  memory.fill(out, 0, <usize>heads * outBytes);
  const tileRows = isFloat ? TILE : PAGE_ROWS;
  for (let first = 0; first < positions; first += tileRows) {
    const count = min(tileRows, positions - first);
    const page = <usize>load<u32>(pages + (<usize>(first / PAGE_ROWS) << 2));
    const rows = page + offset + <usize>(first % PAGE_ROWS) * stride;
    if (isFloat) attendTileF32(out, q, states, rows, count, shape, scratch);
    else if (isRelaxed) attendTileS8(out, queries, states, rows, count, shape, scratch, rest);
    else attendTileI16(out, queries, states, rows, count, shape, scratch, rest, type);
  }
  if (!isFloat) {
    finishHeads(out, outBytes, states, heads, latentDim);
    return;
  }
  for (let h = 0; h < heads; h++) {
    finishSoftmax(out + <usize>h * outBytes, states + <usize>h * SOFTMAX_STATE, latentDim);
  }
}
