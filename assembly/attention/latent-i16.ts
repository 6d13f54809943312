// Latent attention of one token in absorbed form, in integers.
import { LATENT_DIM, ROPE_DIM, SCALE } from "./latent-f32";
import { attendS8 } from "./latent-s8";
import { I16_HEADER } from "./cache";
import { unpackF16, unpackQ8_0 } from "./cache-unpack";
import {
  finishHeads,
  groupBytes,
  GROUP_SCORES,
  GROUP_STATE,
  packQueries,
  startGroups,
  TILE_I16,
} from "./tile-i16";
import { scoreTileI16 } from "./tile-i16-scores";
import { softmaxHeads } from "./tile-i16-softmax";
import { valueTileI16 } from "./tile-i16-values";

const I16: i32 = 0;
const F16: i32 = 1;
const Q8_0: i32 = 2;

/**
 * attendLatentF32, on i16 rows, in integers: of a query's latent and of its rope part one scale
 * each, of the weights of 64 positions one a head; each with 14 bits or more of what is usual
 * (tile-i16.ts).
 */
export function attendLatentI16(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attendInteger(out, q, rows, positions, shape, scratch, I16);
}

/**
 * attendLatentF32, on f16 rows: each becomes an i16 row, as if it had been stored as one, then as
 * attendLatentI16.
 */
export function attendLatentF16(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attendInteger(out, q, rows, positions, shape, scratch, F16);
}

/**
 * attendLatentF32, on q8_0 rows: each becomes an i16 row, within 1/8191 of its largest value, then
 * as attendLatentI16. Requires multiples of 32 and |q| <= 127, as storeLatentQ8_0 writes. In the
 * relaxed variant rows stay what they are, and 32 dims of a query's latent share 8 bits and a
 * scale, of its rope part 16 (tile-s8.ts).
 */
export function attendLatentQ8_0(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) attendS8(out, q, rows, positions, shape, scratch);
  else attendInteger(out, q, rows, positions, shape, scratch, Q8_0);
}

function attendInteger(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
  type: i32,
): void {
  const heads = load<i32>(shape);
  const latentDim = load<i32>(shape, LATENT_DIM);
  const ropeDim = load<i32>(shape, ROPE_DIM);
  const dims = latentDim + ropeDim;
  const groups = (heads + 3) >> 2;
  const rowBytes = I16_HEADER + (<usize>dims << 1);
  const outBytes = <usize>latentDim << 2;
  const scores = scratch;
  const states = scores + <usize>groups * GROUP_SCORES;
  const queries = states + <usize>groups * GROUP_STATE;
  const converted = queries + <usize>groups * groupBytes(dims);
  const scale = load<f32>(shape, SCALE);
  packQueries(queries, q, <usize>dims << 2, heads, latentDim, ropeDim, scale);
  memory.fill(out, 0, <usize>heads * outBytes);
  startGroups(states, groups);
  for (let first = 0; first < positions; first += TILE_I16) {
    const count = min(TILE_I16, positions - first);
    const whole = (count + 3) & ~3;
    let tile = converted;
    if (type == F16) rows = unpackF16(tile, rows, count, latentDim, ropeDim);
    else if (!ASC_FEATURE_RELAXED_SIMD && type == Q8_0) {
      rows = unpackQ8_0(tile, rows, count, latentDim, ropeDim);
    } else if (count == whole) {
      tile = rows;
      rows += <usize>count * rowBytes;
    } else memory.copy(tile, rows, <usize>count * rowBytes);
    // Rows that fill up the last tile, and that no head sees.
    if (count != whole) {
      memory.fill(tile + <usize>count * rowBytes, 0, <usize>(whole - count) * rowBytes);
    }
    scoreTileI16(scores, queries, groups, tile, whole, latentDim, ropeDim);
    softmaxHeads(scores, states, groups, whole, count, tile, rowBytes);
    const values = tile + I16_HEADER;
    valueTileI16(out, outBytes, scores, heads, values, rowBytes, whole, latentDim);
  }
  finishHeads(out, outBytes, states, heads, latentDim);
}
