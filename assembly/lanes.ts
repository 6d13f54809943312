// Lane arithmetic that the linear kernels share.

/** Scale that turns the widened bits of an f16 into its f32 value: 2^112. */
const F16_REBIAS: f32 = 5192296858534827628530496329220096.0;

/**
 * Four f16 at ptr as f32x4, exact for every finite value, subnormals and both signs included.
 * The sign-extended half moves up 13 bits; the copies of the sign are masked off below bit 31.
 */
// @ts-ignore: decorator
@inline
export function loadF16x4(ptr: usize): v128 {
  const bits = v128.and(i32x4.shl(v128.load16x4_s(ptr), 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(bits, f32x4.splat(F16_REBIAS));
}

/**
 * The bits that a widened f16 keeps, and what turns them into a packed scale's f32 value, 2^102;
 * four times each. In memory, since V8 rebuilds a constant at every use.
 */
const SCALE_BITS: usize = memory.data<u32>([
  0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000,
  0x72800000, 0x72800000, 0x72800000, 0x72800000,
], 16);

/**
 * Four packed scales at ptr as f32x4, exact. Packed scales (layout.ts) are f16 times 2^10: none is
 * subnormal, neither here nor as the f32 that widening makes, which would halve the kernels' speed.
 */
// @ts-ignore: decorator
@inline
export function loadScaleX4(ptr: usize): v128 {
  const bits = v128.and(i32x4.shl(v128.load16x4_s(ptr), 13), v128.load(SCALE_BITS));
  return f32x4.mul(bits, v128.load(SCALE_BITS, 16));
}

/** One finite f16 >= 0 at ptr, in all four lanes. */
// @ts-ignore: decorator
@inline
export function splatF16(ptr: usize): v128 {
  const bits = i32x4.shr_u(v128.load16_splat(ptr), 16);
  return f32x4.mul(i32x4.shl(bits, 13), f32x4.splat(F16_REBIAS));
}

/** One f16 at ptr as f32; finite values only. */
// @ts-ignore: decorator
@inline
export function loadF16(ptr: usize): f32 {
  const bits = ((<i32>load<i16>(ptr)) << 13) & 0x8fffe000;
  return reinterpret<f32>(bits) * F16_REBIAS;
}

/** Four bf16 at ptr as f32x4. */
// @ts-ignore: decorator
@inline
export function loadBF16x4(ptr: usize): v128 {
  return i32x4.shl(v128.load16x4_u(ptr), 16);
}

/** Four i8 at ptr as f32x4. */
// @ts-ignore: decorator
@inline
export function loadI8x4(ptr: usize): v128 {
  const halves = i16x8.extend_low_i8x16_s(v128.load32_zero(ptr));
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(halves));
}

/** Four u8 at ptr as f32x4. */
// @ts-ignore: decorator
@inline
export function loadU8x4(ptr: usize): v128 {
  const halves = i16x8.extend_low_i8x16_u(v128.load32_zero(ptr));
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(halves));
}

/** (a0+a1, a2+a3, b0+b1, b2+b3) of two i32x4. */
// @ts-ignore: decorator
@inline
export function addPairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

/** Sum of the four lanes of an f32x4. */
// @ts-ignore: decorator
@inline
export function sumF32x4(a: v128): f32 {
  return (
    (f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1)) +
    (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3))
  );
}

/** Largest lane of an f32x4. */
// @ts-ignore: decorator
@inline
export function maxF32x4(a: v128): f32 {
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}

/**
 * Added to |x| < 2^22, rounds x to the nearest integer, ties to even; the sum's bits end in it.
 */
const ROUNDER: f32 = 12582912;

/**
 * x * factor rounded, within +-2^22, in the low bits of each lane; narrowRounded takes them out.
 */
// @ts-ignore: decorator
@inline
export function roundedBits(x: v128, factor: v128): v128 {
  return f32x4.add(f32x4.mul(x, factor), f32x4.splat(ROUNDER));
}

/** Two results of roundedBits as i16x8, saturated. */
// @ts-ignore: decorator
@inline
export function narrowRounded(a: v128, b: v128): v128 {
  const rounder = f32x4.splat(ROUNDER);
  return i16x8.narrow_i32x4_s(i32x4.sub(a, rounder), i32x4.sub(b, rounder));
}

/**
 * round(a * factor), round(b * factor) as i16x8, for products within +-32767; NaN gives anything.
 */
// @ts-ignore: decorator
@inline
export function roundToI16(a: v128, b: v128, factor: v128): v128 {
  const low = roundedBits(a, factor);
  const high = roundedBits(b, factor);
  return v128.shuffle<i16>(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
}

/** (a0 b0 a1 b1 a2 b2 a3 b3) of two i16x8: one instruction, where other patterns take several. */
// @ts-ignore: decorator
@inline
export function pairLow(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** (a4 b4 a5 b5 a6 b6 a7 b7) of two i16x8. */
// @ts-ignore: decorator
@inline
export function pairHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** (a0 b0 a1 b1 ...) of two i8x16. */
// @ts-ignore: decorator
@inline
export function bytesLow(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** (a8 b8 a9 b9 ...) of two i8x16. */
// @ts-ignore: decorator
@inline
export function bytesHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/**
 * acc + the sums of four products each of s8 a and u8 b. The engine decides what b's bit 7 means:
 * use b above 127 only where probe.ts proves it.
 */
// @ts-ignore: decorator
@inline
export function dot8(a: v128, b: v128, acc: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, acc);
  unreachable();
  return acc;
}

/**
 * a * b / 2^15 of i16, rounded to the nearest, halves up; not for -32768 times itself, which the
 * relaxed variant leaves to the engine.
 */
// @ts-ignore: decorator
@inline
export function multiplyQ15(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_q15mulr_s(a, b);
  return i16x8.q15mulr_sat_s(a, b);
}
