// Conversion between f32 and f16, four lanes at a time.

/**
 * The f16 nearest to each lane of an f32x4, ties to even, in the low half of an i32 lane; infinity
 * from 65520 on, as in IEEE 754. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function f32x4ToF16(x: v128): v128 {
  const sign = v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000));
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  // Normal: half a spacing, less one bit if the last kept bit is even, then the exponent's bias.
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff)), odd);
  const normal = i32x4.min_s(
    i32x4.sub(i32x4.shr_u(rounded, 13), i32x4.splat(112 << 10)),
    i32x4.splat(0x7c00),
  );
  // Subnormal: 0.5 has the spacing of f16's subnormals, so the addition rounds to it.
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), f32x4.splat(0.5));
  const isSmall = i32x4.lt_s(magnitude, i32x4.splat(0x38800000));
  const notNumber = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000));
  const half = v128.bitselect(subnormal, normal, isSmall);
  return v128.or(sign, v128.bitselect(i32x4.splat(0x7e00), half, notNumber));
}

/** The values of the f16 in the low halves of four i32 lanes (sign-extended or not), exactly. */
// @ts-ignore: decorator
@inline
export function f16ToF32x4(half: v128): v128 {
  const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
  const magnitude = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
  // 2^112 moves the exponent's bias; infinity and NaN need the largest exponent instead.
  const value = f32x4.mul(magnitude, f32x4.splat(5192296858534827628530496329220096.0));
  const finite = i32x4.lt_s(magnitude, i32x4.splat(0x0f800000));
  return v128.or(sign, v128.or(value, v128.andnot(i32x4.splat(0x7f800000), finite)));
}

/** One f32 as f16 bits. */
// @ts-ignore: decorator
@inline
export function f32ToF16(x: f32): i32 {
  return i32x4.extract_lane(f32x4ToF16(f32x4.splat(x)), 0);
}

/** The value of one f16. */
// @ts-ignore: decorator
@inline
export function f16ToF32(half: i32): f32 {
  return f32x4.extract_lane(f16ToF32x4(i32x4.splat(half)), 0);
}
