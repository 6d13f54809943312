// The exponential function on four lanes, and the sums and maxima that a softmax needs.

/** The constants of expF32x4, four times each. In memory: V8 rebuilds a constant at every use. */
const CONSTANTS: usize = memory.data<f32>([
  -105, -105, -105, -105,
  89, 89, 89, 89,
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634,
  12582912, 12582912, 12582912, 12582912,
  0.693359375, 0.693359375, 0.693359375, 0.693359375,
  2.1219444005469057e-4, 2.1219444005469057e-4, 2.1219444005469057e-4, 2.1219444005469057e-4,
  0.0013814598367787741, 0.0013814598367787741, 0.0013814598367787741, 0.0013814598367787741,
  0.008368716898198, 0.008368716898198, 0.008368716898198, 0.008368716898198,
  0.04166838805110341, 0.04166838805110341, 0.04166838805110341, 0.04166838805110341,
  0.16666520631510565, 0.16666520631510565, 0.16666520631510565, 0.16666520631510565,
  0.499999934477676, 0.499999934477676, 0.499999934477676, 0.499999934477676,
  1, 1, 1, 1,
], 16);
/** 1.5 * 2^23: adding it rounds to a whole number, which is then in the low bits of the sum. */
const ROUND: usize = 48;

/**
 * e^x of each lane, within 1 ulp, subnormal results included.
 * -inf and all below -104 give 0, above 88.73 inf, NaN stays NaN; e^0 is exactly 1.
 */
// @ts-ignore: decorator
@inline
export function expF32x4(x: v128): v128 {
  // This order of operands keeps a NaN in x.
  const bounded = f32x4.pmin(
    f32x4.pmax(x, v128.load(CONSTANTS)),
    v128.load(CONSTANTS, 16),
  );
  const round = v128.load(CONSTANTS, ROUND);
  const rounded = f32x4.add(f32x4.mul(bounded, v128.load(CONSTANTS, 32)), round);
  const n = f32x4.sub(rounded, round);
  // ln 2 in two parts; the first has 10 bits, so that n times it is exact.
  let r = f32x4.sub(bounded, f32x4.mul(n, v128.load(CONSTANTS, 64)));
  r = f32x4.add(r, f32x4.mul(n, v128.load(CONSTANTS, 80)));
  // e^r = 1 + r + r^2 p(r): p has the least relative error (3.1e-9) for |r| <= ln 2 / 2.
  let p = v128.load(CONSTANTS, 96);
  p = f32x4.add(f32x4.mul(p, r), v128.load(CONSTANTS, 112));
  p = f32x4.add(f32x4.mul(p, r), v128.load(CONSTANTS, 128));
  p = f32x4.add(f32x4.mul(p, r), v128.load(CONSTANTS, 144));
  p = f32x4.add(f32x4.mul(p, r), v128.load(CONSTANTS, 160));
  p = f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r);
  const one = v128.load(CONSTANTS, 176);
  p = f32x4.add(p, one);
  // 2^n in two factors, since 2^n alone may be subnormal or too large.
  const exponent = i32x4.sub(rounded, round);
  const half = i32x4.shr_s(exponent, 1);
  const rest = i32x4.sub(exponent, half);
  // The bits of 1 have an exponent of 0.
  p = f32x4.mul(p, i32x4.add(i32x4.shl(half, 23), one));
  return f32x4.mul(p, i32x4.add(i32x4.shl(rest, 23), one));
}

/** e^x. */
// @ts-ignore: decorator
@inline
export function expF32(x: f32): f32 {
  return f32x4.extract_lane(expF32x4(f32x4.splat(x)), 0);
}

/** sum + the four lanes of x, in f64. */
// @ts-ignore: decorator
@inline
export function addLanesF64(sum: v128, x: v128): v128 {
  const high = v128.shuffle<i64>(x, x, 1, 0);
  return f64x2.add(
    sum,
    f64x2.add(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(high)),
  );
}

/** f64[4] at sums = sums * factor + x, lane by lane. */
// @ts-ignore: decorator
@inline
export function addLanesF64Each(sums: usize, factor: v128, x: v128): void {
  const factorHigh = f64x2.promote_low_f32x4(v128.shuffle<i64>(factor, factor, 1, 0));
  const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0));
  const low = f64x2.mul(v128.load(sums), f64x2.promote_low_f32x4(factor));
  v128.store(sums, f64x2.add(low, f64x2.promote_low_f32x4(x)));
  v128.store(sums, f64x2.add(f64x2.mul(v128.load(sums, 16), factorHigh), high), 16);
}

/** The largest lane; a NaN may be ignored. */
// @ts-ignore: decorator
@inline
export function largestLane(x: v128): f32 {
  const pairs = f32x4.pmax(x, v128.shuffle<i64>(x, x, 1, 0));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0);
}
