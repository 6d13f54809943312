// Block scales as packed weights hold them: f16 times 2^10, which leaves no value subnormal.

/** An f16 without its sign is not finite from here. */
const F16_INFINITY: i32 = 0x7c00;

/** 2^10 in the exponent of an f16. */
const TIMES: i32 = 10 << 10;

/** What the pack kernels return, as bits: why something cannot be packed. */
export const NOT_FINITE: i32 = 1;
export const TOO_LARGE: i32 = 2;

/**
 * Copies an f16 as a packed scale. The exponent of infinity counts as one more, so that values
 * below 128 fit. Returns NOT_FINITE, TOO_LARGE or 0.
 */
export function packScale(to: usize, from: usize): i32 {
  const bits = <i32>load<u16>(from);
  let magnitude = bits & 0x7fff;
  if (magnitude >= F16_INFINITY) return NOT_FINITE;
  if (magnitude >= 0x0400) magnitude += TIMES;
  else if (magnitude != 0) {
    // m * 2^-24 with its highest bit at p is 1.f * 2^(p - 24).
    const p = 31 - clz(magnitude);
    magnitude = ((p + 1) << 10) | ((magnitude << (10 - p)) & 0x03ff);
  }
  if (magnitude > 0x7fff) return TOO_LARGE;
  store<u16>(to, <u16>((bits & 0x8000) | magnitude));
  return 0;
}

/** packScale of 8 f16 that lie `stride` bytes apart, to 8 back to back. */
export function packScales8(to: usize, from: usize, stride: usize): i32 {
  const bits = gather8(from, stride);
  const magnitude = v128.and(bits, i16x8.splat(0x7fff));
  if (v128.any_true(i16x8.gt_s(magnitude, i16x8.splat(<i16>(0x7fff - TIMES))))) {
    let bad = 0;
    for (let i: usize = 0; i < 8; i++) bad |= packScale(to + 2 * i, from + i * stride);
    return bad;
  }
  // A subnormal m * 2^-24 has the exponent and fraction of the f32 m; 0 ends below and clamps.
  const small = i16x8.narrow_i32x4_u(
    exponents(i32x4.extend_low_i16x8_u(magnitude)),
    exponents(i32x4.extend_high_i16x8_u(magnitude)),
  );
  const large = i16x8.add(magnitude, i16x8.splat(<i16>TIMES));
  const isLarge = i16x8.gt_s(magnitude, i16x8.splat(0x03ff));
  const scaled = v128.bitselect(large, small, isLarge);
  v128.store(to, v128.or(scaled, v128.xor(bits, magnitude)));
  return 0;
}

/** The packed scales of subnormals, m < 2^10. */
// @ts-ignore: decorator
@inline
function exponents(m: v128): v128 {
  return i32x4.sub(i32x4.shr_u(f32x4.convert_i32x4_s(m), 13), i32x4.splat(126 << 10));
}

// @ts-ignore: decorator
@inline
function gather8(from: usize, stride: usize): v128 {
  const half = from + 4 * stride;
  let v = v128.load_splat<u16>(from);
  v = v128.load_lane<u16>(from + stride, v, 1);
  v = v128.load_lane<u16>(from + 2 * stride, v, 2);
  v = v128.load_lane<u16>(from + 3 * stride, v, 3);
  v = v128.load_lane<u16>(half, v, 4);
  v = v128.load_lane<u16>(half + stride, v, 5);
  v = v128.load_lane<u16>(half + 2 * stride, v, 6);
  return v128.load_lane<u16>(half + 3 * stride, v, 7);
}
