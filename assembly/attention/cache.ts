// Rows of the latent KV cache: what one layer keeps of one position. Adjacent rows of one layer
// form pages of PAGE_ROWS rows.
//
//   R = latentDim (kv_lora_rank), D = ropeDim (qk_rope_head_dim)
//
//            +-----------------------------+----------------------------+
//   f32      | latent f32[R]               | k_pe f32[D]                |  4 (R + D) bytes
//   f16      | latent f16[R]               | k_pe f16[D]                |  2 (R + D)
//   q8_0     | latent R/32 blocks          | k_pe D/32 blocks           |  34 (R + D) / 32
//            +-----------------------------+----------------------------+
//   i16      | f32 scale of latent | f32 scale of k_pe | 8 bytes of zero |  16 + 2 (R + D)
//            | latent i16[R]               | k_pe i16[D]                |
//            +-----------------------------+----------------------------+
//
// An i16 value is q * scale with |q| <= 8191. A q8_0 block is GGUF's: f16 scale, int8[32] with
// |q| <= 127. R and D are multiples of 8; of 32 for q8_0.
import { f32ToF16, f32x4ToF16 } from "../f16";
import { narrowRounded, roundedBits } from "../lanes";

/** Rows of a page. */
export const PAGE_ROWS: i32 = 64;
/** Bytes of the two scales and their padding before the values of an i16 row. */
export const I16_HEADER: usize = 16;
/** The largest |q| of an i16 row. */
export const I16_MAX: f32 = 8191;
/** Bytes of a q8_0 block. */
export const Q8_0_BLOCK: usize = 34;
/** A row whose largest value is below 2^-100 counts as zero: the reciprocal might overflow. */
export const SMALLEST_AMAX: f32 = 7.888609052210118e-31;

/**
 * row = (latent, kPe)
 *
 *   row      an f32 row   out
 *   latent   f32[latentDim]
 *   kPe      f32[ropeDim]
 *
 * Any alignment; row apart from latent and kPe.
 */
export function storeLatentF32(
  row: usize,
  latent: usize,
  latentDim: i32,
  kPe: usize,
  ropeDim: i32,
): void {
  memory.copy(row, latent, <usize>latentDim << 2);
  memory.copy(row + (<usize>latentDim << 2), kPe, <usize>ropeDim << 2);
}

/** f16[n] at target = the nearest to f32[n] at source. */
function storeF16(target: usize, source: usize, n: i32): void {
  for (let i = 0; i < n; i += 8, source += 32, target += 16) {
    const low = f32x4ToF16(v128.load(source));
    const high = f32x4ToF16(v128.load(source, 16));
    v128.store(target, i16x8.narrow_i32x4_u(low, high));
  }
}

/** storeLatentF32, for an f16 row; values round to the nearest, ties to even. */
export function storeLatentF16(
  row: usize,
  latent: usize,
  latentDim: i32,
  kPe: usize,
  ropeDim: i32,
): void {
  storeF16(row, latent, latentDim);
  storeF16(row + (<usize>latentDim << 1), kPe, ropeDim);
}

/**
 * The largest |x[i]| of f32[n], n a multiple of 4; NaN if there is one: without their sign, floats
 * are in the order of their bits, NaNs last.
 */
export function largestMagnitude(x: usize, n: i32): f32 {
  let largest = i32x4.splat(0);
  const end = x + (<usize>n << 2);
  for (; x < end; x += 16) {
    largest = i32x4.max_s(largest, v128.and(v128.load(x), i32x4.splat(0x7fffffff)));
  }
  largest = i32x4.max_s(largest, v128.shuffle<i64>(largest, largest, 1, 0));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  return f32x4.extract_lane(largest, 0);
}

/**
 * i16[n] at target = f32[n] at source over the returned scale, rounded to the nearest, ties to
 * even; n is a multiple of 8. NaN or infinity makes the scale NaN.
 */
export function storeI16(target: usize, source: usize, n: i32): f32 {
  const amax = largestMagnitude(source, n);
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : I16_MAX / amax);
  for (let i = 0; i < n; i += 8, source += 32, target += 16) {
    const low = roundedBits(v128.load(source), inverse);
    v128.store(target, narrowRounded(low, roundedBits(v128.load(source, 16), inverse)));
  }
  return amax < SMALLEST_AMAX ? 0 : amax / I16_MAX + (amax - amax);
}

/**
 * storeLatentF32, for an i16 row: each part over its own scale, the largest magnitude / 8191;
 * values round to the nearest. NaN or infinity makes the whole part NaN when it is read.
 */
export function storeLatentI16(
  row: usize,
  latent: usize,
  latentDim: i32,
  kPe: usize,
  ropeDim: i32,
): void {
  const values = row + I16_HEADER;
  store<f32>(row, storeI16(values, latent, latentDim));
  store<f32>(row, storeI16(values + (<usize>latentDim << 1), kPe, ropeDim), 4);
  store<u64>(row, 0, 8);
}

/** Rounds each lane to the nearest whole number, halves away from zero. */
// @ts-ignore: decorator
@inline
function roundHalvesAway(x: v128): v128 {
  const whole = f32x4.trunc(x);
  const rest = f32x4.abs(f32x4.sub(x, whole));
  const one = v128.and(f32x4.ge(rest, f32x4.splat(0.5)), f32x4.splat(1));
  const signed = v128.or(one, v128.and(x, i32x4.splat(0x80000000)));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(whole, signed));
}

/** q8_0 blocks at target = f32[n] at source; returns the end of the blocks. */
function storeQ8_0(target: usize, source: usize, n: i32): usize {
  for (let i = 0; i < n; i += 32, target += Q8_0_BLOCK, source += 128) {
    const scale = largestMagnitude(source, 32) / 127;
    const inverse = f32x4.splat(scale != 0 ? 1 / scale : 0);
    store<u16>(target, <u16>f32ToF16(scale));
    for (let j: usize = 0; j < 32; j += 8) {
      const from = source + (j << 2);
      const low = roundHalvesAway(f32x4.mul(v128.load(from), inverse));
      const high = roundHalvesAway(f32x4.mul(v128.load(from, 16), inverse));
      const words = i16x8.narrow_i32x4_s(low, high);
      v128.store64_lane(target + 2 + j, i8x16.narrow_i16x8_s(words, words), 0);
    }
  }
  return target;
}

/**
 * storeLatentF32, for a q8_0 row, rounded as GGUF files are: d = amax / 127 in f32, stored as f16,
 * values x * (1 / d) to the nearest, halves away from zero. Requires multiples of 32.
 */
export function storeLatentQ8_0(
  row: usize,
  latent: usize,
  latentDim: i32,
  kPe: usize,
  ropeDim: i32,
): void {
  storeQ8_0(storeQ8_0(row, latent, latentDim), kPe, ropeDim);
}
