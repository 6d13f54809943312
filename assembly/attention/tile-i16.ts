// Attention over one tile of positions in integers: what its kernels (tile-i16-*.ts) share. Queries
// form groups of four, one in each lane; in an incomplete group the last is repeated.
//
//   group of queries, 32 + 8 (A + B) bytes           group of scores, 1056 bytes
//   +---------------------------------------+        +--------------------------------------------+
//   |  0  f32[4]  scales of the first part  |        |    0  f32[64][4]  scores                   |
//   | 16  f32[4]  scales of the second part |        |       or          i16[32][4][2] weights of |
//   | 32  i16[(A + B) / 2][4 queries][2]    |        |                   pairs of positions       |
//   +---------------------------------------+        | 1024  f32[4]  factors for what came before |
//                                                    | 1040  f32[4]  scales of the weights        |
//   state of a group, 64 bytes                       +--------------------------------------------+
//   +--------------------------------------------+
//   |  0  f32[4]  largest scores so far          |
//   | 16  f64[4]  sums of e^(score - largest)    |
//   | 48  16 bytes unused                        |
//   +--------------------------------------------+
//
// A query and a row of the tile have two parts of A and B values, each with its own scale: latent
// and rope part, or k_nope and k_pe. Rows are i16 rows of the cache (cache.ts): |row| <= 8191. An
// i32 lane sums products of them with integers whose magnitudes sum to at most LARGEST_SUM, and so
// stays below 2^31 - 1.
import { largestMagnitude, PAGE_ROWS, SMALLEST_AMAX } from "./cache";
import { narrowRounded, roundedBits } from "../lanes";

/** Positions of a tile, at most. */
export const TILE_I16: i32 = PAGE_ROWS;
export const GROUP_HEADER: usize = 32;
export const GROUP_SCORES: usize = 1056;
export const GROUP_FACTOR: usize = 1024;
export const GROUP_SCALE: usize = 1040;
export const GROUP_STATE: usize = 64;
/** Dims of a query that are multiplied before their sum becomes f32. */
export const FLUSH_DIMS: i32 = 128;
/** 2^31 / 8191, less the rounding of 128 integers. */
export const LARGEST_SUM: f32 = 262080;
/** Lower than any score; finite, so that the difference of two is 0. */
const LOWEST: f32 = -3.4028234663852886e38;

/** Bytes of a group of queries of that many values. */
// @ts-ignore: decorator
@inline
export function groupBytes(dims: i32): usize {
  return GROUP_HEADER + (<usize>dims << 3);
}

/** The state without positions. */
export function startGroups(state: usize, groups: i32): void {
  for (let i = 0; i < groups; i++, state += GROUP_STATE) {
    memory.fill(state, 0, GROUP_STATE);
    v128.store(state, f32x4.splat(LOWEST));
  }
}

/** out[i] /= the sum of one query, in the lane of its group; n is a multiple of 4. */
export function finishQuery(out: usize, state: usize, lane: i32, n: i32): void {
  const divisor = f32x4.splat(<f32>load<f64>(state + (<usize>lane << 3), 16));
  const end = out + (<usize>n << 2);
  for (; out < end; out += 16) v128.store(out, f32x4.div(v128.load(out), divisor));
}

/** finishQuery of one token's heads: f32[n] at out + h * outBytes. */
// @ts-ignore: decorator
@inline
export function finishHeads(out: usize, outBytes: usize, states: usize, heads: i32, n: i32): void {
  for (let h = 0; h < heads; h++) {
    const state = states + <usize>(h >> 2) * GROUP_STATE;
    finishQuery(out + <usize>h * outBytes, state, h & 3, n);
  }
}

/**
 * to = groups of queries, times scale; part one has `first` values, part two `second`
 *
 *   to   groups[ceil(queries / 4)]   out
 *   q    f32[first + second] at q + i * qBytes
 *
 * Requires queries >= 1, first and second multiples of 4. A part with a NaN or infinity gets the
 * scale NaN.
 */
export function packQueries(
  to: usize,
  q: usize,
  qBytes: usize,
  queries: i32,
  first: i32,
  second: i32,
  scale: f32,
): void {
  const lanes = (queries + 3) & ~3;
  for (let i = 0; i < lanes; i++) {
    const x = q + <usize>min(i, queries - 1) * qBytes;
    const lane = <usize>(i & 3) << 2;
    const cells = to + lane + GROUP_HEADER;
    store<f32>(to + lane, packPart(cells, x, first) * scale);
    const rest = packPart(cells + (<usize>first << 3), x + (<usize>first << 2), second);
    store<f32>(to + lane, rest * scale, 16);
    if ((i & 3) == 3) to += groupBytes(first + second);
  }
}

/** One query's i16[n / 2][2], pairs 16 bytes apart, from f32[n] over the returned scale. */
function packPart(to: usize, x: usize, n: i32): f32 {
  const end = x + (<usize>n << 2);
  const amax = largestMagnitude(x, n);
  let most = f32x4.splat(0);
  for (let p = x; p < end; ) {
    let sum = f32x4.splat(0);
    for (const flush = min(p + (<usize>FLUSH_DIMS << 2), end); p < flush; p += 16) {
      sum = f32x4.add(sum, f32x4.abs(v128.load(p)));
    }
    const pairs = f32x4.add(sum, v128.shuffle<i64>(sum, sum, 1, 0));
    most = f32x4.pmax(most, f32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)));
  }
  const unit = max(amax / 32767, f32x4.extract_lane(most, 0) / LARGEST_SUM);
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : 1 / unit);
  for (; x < end; x += 16, to += 32) {
    const bits = roundedBits(v128.load(x), inverse);
    const words = narrowRounded(bits, bits);
    v128.store32_lane(to, words, 0);
    v128.store32_lane(to, words, 1, 16);
  }
  return amax < SMALLEST_AMAX ? 0 : unit + (amax - amax);
}
