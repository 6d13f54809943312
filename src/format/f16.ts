/** IEEE 754 binary16, "f16", to and from f32. */

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The bits of the f16 nearest to x as f32, ties to even; from 65520 on infinity. NaN is 0x7e00. */
export function toF16Bits(x: number): number {
  float[0] = x;
  const sign = (floatBits[0] >>> 16) & 0x8000;
  const magnitude = floatBits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536
  if (magnitude < 0x38800000) {
    // Below 2^-14: the multiples of 2^-24.
    const steps = Math.abs(float[0]) * 2 ** 24;
    const below = Math.floor(steps);
    const rest = steps - below;
    return sign | (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of f16 bits. */
export function fromF16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let values: Float32Array | undefined;

/** The values of all 65536 f16 by their bits; computed once. */
export function f16Values(): Float32Array {
  values ??= Float32Array.from({ length: 65536 }, (_, bits) => fromF16Bits(bits));
  return values;
}
