// f16 and q8_0 rows of the latent cache as i16 rows (layouts in cache.ts), for integer attention.
import { I16_HEADER, I16_MAX, Q8_0_BLOCK, SMALLEST_AMAX } from "./cache";
import { f16ToF32 } from "../f16";
import {
  bytesHigh,
  bytesLow,
  loadF16x4,
  multiplyQ15,
  narrowRounded,
  roundedBits,
  splatF16,
} from "../lanes";

/** rows[count] at target, adjacent = the rows at source, `stride` bytes apart. */
export function copyRows(
  target: usize,
  source: usize,
  stride: usize,
  rowBytes: usize,
  count: i32,
): void {
  for (const end = target + <usize>count * rowBytes; target < end; target += rowBytes) {
    memory.copy(target, source, rowBytes);
    source += stride;
  }
}

/**
 * i16 rows at target = f16 rows at source, `stride` bytes apart, rounded as storeLatentI16 does.
 */
export function unpackF16(
  target: usize,
  source: usize,
  stride: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  const latentBytes = <usize>latentDim << 1;
  for (let t = 0; t < count; t++, source += stride) {
    const values = target + I16_HEADER;
    store<f32>(target, unpackHalves(values, source, latentDim));
    const ropeValues = values + latentBytes;
    store<f32>(target, unpackHalves(ropeValues, source + latentBytes, ropeDim), 4);
    target = ropeValues + (<usize>ropeDim << 1);
  }
}

/** i16[n] over the returned scale from f16[n]. */
function unpackHalves(target: usize, source: usize, n: i32): f32 {
  const end = source + (<usize>n << 1);
  const magnitude = i16x8.splat(0x7fff);
  // Without their sign, halves are in the order of their bits, NaNs last.
  let largest = i16x8.splat(0);
  for (let p = source; p < end; p += 16) {
    largest = i16x8.max_s(largest, v128.and(v128.load(p), magnitude));
  }
  largest = i16x8.max_s(largest, v128.shuffle<i64>(largest, largest, 1, 0));
  largest = i16x8.max_s(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  const bits = max(i16x8.extract_lane_s(largest, 0), i16x8.extract_lane_s(largest, 1));
  const amax = f16ToF32(bits);
  const inverse = f32x4.splat(amax < SMALLEST_AMAX ? 0 : I16_MAX / amax);
  for (; source < end; source += 16, target += 16) {
    const low = roundedBits(loadF16x4(source), inverse);
    const high = roundedBits(loadF16x4(source + 8), inverse);
    v128.store(target, narrowRounded(low, high));
  }
  // Infinity becomes NaN.
  return amax / I16_MAX + (amax - amax);
}

/**
 * i16 rows at target = q8_0 rows at source, `stride` bytes apart, within one unit of the row's
 * scale. Requires |q| <= 127 and scales >= 0.
 */
export function unpackQ8_0(
  target: usize,
  source: usize,
  stride: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  const ropeValues = I16_HEADER + (<usize>latentDim << 1);
  const rowBytes = ropeValues + (<usize>ropeDim << 1);
  const latentBytes = (<usize>latentDim >> 5) * Q8_0_BLOCK;
  const ropeBytes = (<usize>ropeDim >> 5) * Q8_0_BLOCK;
  for (let t = 0; t < count; t++, target += rowBytes, source += stride) {
    store<f32>(target, unpackBlocks(target + I16_HEADER, source, latentBytes));
    store<f32>(target, unpackBlocks(target + ropeValues, source + latentBytes, ropeBytes), 4);
  }
}

/** i16 values over the returned scale from blocks of `bytes` bytes. */
function unpackBlocks(target: usize, source: usize, bytes: usize): f32 {
  const end = source + bytes;
  // Halves that are not negative are in the order of their bits, NaNs last.
  let bits = 0;
  for (let block = source; block < end; block += Q8_0_BLOCK) {
    bits = max(bits, <i32>load<u16>(block));
  }
  const largest = f16ToF32(bits);
  // A value 127 of the block with the largest scale becomes 8191: q * 256 * factor / 2^15 with a
  // factor of 8191/127 * 128 = 8255.5, rounded down.
  const inverse = f32x4.splat(largest > 0 ? 8255 / largest : 0);
  for (; source < end; source += Q8_0_BLOCK, target += 64) {
    const factor = roundedBits(splatF16(source), inverse);
    const factors = narrowRounded(factor, factor);
    widen(target, source + 2, factors);
    widen(target + 32, source + 18, factors);
  }
  return largest * (128 / <f32>8255) + (largest - largest);
}

/** target = 16 int8 times 256 times factors / 2^15. */
// @ts-ignore: decorator
@inline
function widen(target: usize, source: usize, factors: v128): void {
  const zero = i8x16.splat(0);
  const q = v128.load(source);
  v128.store(target, multiplyQ15(bytesLow(zero, q), factors));
  v128.store(target, multiplyQ15(bytesHigh(zero, q), factors), 16);
}
