/** Quantises floats to GGUF's Q8_0. */

const BLOCK_SIZE = 32;
const BLOCK_BYTES = 34;

/** The bits of the f16 next to x, for x from 0 to 65504; ties go up. */
function toF16Bits(x: number): number {
  if (x < 2 ** -14) return Math.round(x * 2 ** 24);
  const bits = new Uint32Array(Float32Array.of(x).buffer)[0];
  return ((bits - (112 << 23) + (1 << 12)) >>> 13) & 0x7fff;
}

/** The value of f16 bits that toF16Bits made. */
function fromF16Bits(bits: number): number {
  const exponent = bits >> 10;
  return exponent === 0 ? bits * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
}

/**
 * Q8_0 of f32[n], n a multiple of 32: blocks of a scale f16, the largest magnitude / 127, and
 * i8[32]. Magnitudes up to 8e6.
 */
export function encodeQ8_0(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = new DataView(new ArrayBuffer((values.length / BLOCK_SIZE) * BLOCK_BYTES));
  for (let b = 0; b < values.length / BLOCK_SIZE; b++) {
    const block = values.subarray(b * BLOCK_SIZE, (b + 1) * BLOCK_SIZE);
    let largest = 0;
    for (const value of block) largest = Math.max(largest, Math.abs(value));
    const scaleBits = toF16Bits(largest / 127);
    const scale = fromF16Bits(scaleBits);
    blocks.setUint16(b * BLOCK_BYTES, scaleBits, true);
    block.forEach((value, i) => {
      const quantised = scale === 0 ? 0 : Math.round(value / scale);
      blocks.setInt8(b * BLOCK_BYTES + 2 + i, Math.max(-127, Math.min(127, quantised)));
    });
  }
  return new Uint8Array(blocks.buffer);
}
