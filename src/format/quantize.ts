/**
 * Floats to blocks of Q4_0 and Q8_0, bit for bit as ggml's reference quantisers, and stored
 * tensors to floats. Blocks as in dtypes.ts.
 */
import { TENSOR_TYPES } from "./dtypes.js";
import { f16Values, toF16Bits } from "./f16.js";

/** The types that floats can be quantised to. */
export type QuantizedType = "Q4_0" | "Q8_0";

/** The types that can be dequantised. */
export const DEQUANTIZED_TYPES = ["F32", "F16", "BF16", "Q8_0"] as const;

/** One of DEQUANTIZED_TYPES. */
export type DequantizedType = (typeof DEQUANTIZED_TYPES)[number];

/** The types that this file can decode. */
type LoadableType = DequantizedType | QuantizedType;

/** Elements of a block of Q4_0 and of Q8_0. */
const BLOCK_SIZE = 32;

/** The exponent of an f16 that is not finite. */
const F16_INFINITY = 0x7c00;

/** The bits of 128 as f16: the smallest block scale that the loader refuses. */
const F16_TOO_LARGE = 0x5800;

/** Writes the values of whole blocks; `values` has exactly their length. */
export function dequantize(type: DequantizedType, bytes: Uint8Array, values: Float32Array): void {
  if (type === "F32") new Uint8Array(values.buffer, values.byteOffset).set(bytes);
  else if (type === "Q8_0") dequantizeQ8_0(bytes, values);
  else if (type === "F16") {
    const f16 = f16Values();
    for (let i = 0; i < values.length; i++) values[i] = f16[bytes[2 * i] | (bytes[2 * i + 1] << 8)];
  } else {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++) bits[i] = (bytes[2 * i] << 16) | (bytes[2 * i + 1] << 24);
  }
}

function dequantizeQ8_0(bytes: Uint8Array, values: Float32Array): void {
  const f16 = f16Values();
  let at = 0;
  for (let i = 0; i < values.length; i += BLOCK_SIZE) {
    const d = f16[bytes[at] | (bytes[at + 1] << 8)];
    at += 2;
    for (let j = i; j < i + BLOCK_SIZE; j++) values[j] = d * ((bytes[at++] << 24) >> 24);
  }
}

/**
 * Writes f32[n], n a multiple of 32, as blocks; `blocks` has exactly their length. Returns false
 * for a value that is not finite or a scale too large for f16; the blocks are then invalid.
 */
export function quantize(type: QuantizedType, values: Float32Array, blocks: Uint8Array): boolean {
  const { blockBytes } = TENSOR_TYPES[type];
  const quantizeBlock = type === "Q4_0" ? quantizeBlockQ4_0 : quantizeBlockQ8_0;
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let at = 0;
  for (let i = 0; i < values.length; i += BLOCK_SIZE) {
    const d = quantizeBlock(values, indexOfLargest(bits, i), i, blocks, at);
    const scaleBits = toF16Bits(d);
    if ((scaleBits & F16_INFINITY) === F16_INFINITY) return false;
    blocks[at] = scaleBits & 255;
    blocks[at + 1] = scaleBits >>> 8;
    at += blockBytes;
  }
  return true;
}

/** Whether the loader accepts stored values: finite, with block scales below 128. */
export function areLoadable(type: LoadableType, bytes: Uint8Array): boolean {
  const [first, step, limit] = LOADABLE[type];
  for (let i = first; i < bytes.length; i += step) {
    // The upper two bytes of a float, or an f16 scale.
    if (((bytes[i] | (bytes[i + 1] << 8)) & 0x7fff) >= limit) return false;
  }
  return true;
}

/** The first of the 16-bit fields to check, their distance, and what they must stay below. */
const LOADABLE: Readonly<Record<LoadableType, readonly [number, number, number]>> = {
  F32: [2, 4, 0x7f80],
  F16: [0, 2, 0x7c00],
  BF16: [0, 2, 0x7f80],
  Q8_0: [0, TENSOR_TYPES.Q8_0.blockBytes, F16_TOO_LARGE],
  Q4_0: [0, TENSOR_TYPES.Q4_0.blockBytes, F16_TOO_LARGE],
};

/** The blocks of f32[n], n a multiple of 32; undefined if `quantize` returns false. */
export function quantized(
  type: QuantizedType,
  values: Float32Array,
): Uint8Array<ArrayBuffer> | undefined {
  const blocks = new Uint8Array((values.length / BLOCK_SIZE) * TENSOR_TYPES[type].blockBytes);
  return quantize(type, values, blocks) ? blocks : undefined;
}

/**
 * The index of the first largest magnitude of a block. Magnitudes are compared by their bits, of
 * which infinity's and NaN's are the largest.
 */
function indexOfLargest(bits: Int32Array, i: number): number {
  let largest = 0;
  let index = i;
  for (let j = i; j < i + BLOCK_SIZE; j++) {
    const magnitude = bits[j] & 0x7fffffff;
    if (magnitude > largest) {
      largest = magnitude;
      index = j;
    }
  }
  return index;
}

/** 1 / d as f32; 0 if d is 0, or so small that its f16 is 0 and its inverse infinite. */
function invert(d: number): number {
  const inverse = Math.fround(1 / d);
  return Number.isFinite(inverse) ? inverse : 0;
}

/** d = the largest value / -8; q = trunc(x / d + 8.5), 15 at most. Returns d. */
function quantizeBlockQ4_0(
  x: Float32Array,
  largest: number,
  i: number,
  blocks: Uint8Array,
  at: number,
): number {
  // For a block of zeros the scale is -0, whatever their signs.
  const d = Math.fround((x[largest] + 0) / -8);
  const inverse = invert(d);
  for (let j = 0; j < 16; j++) {
    // Two roundings, as without fused multiply-add.
    const low = Math.fround(Math.fround(x[i + j] * inverse) + 8.5) | 0;
    const high = Math.fround(Math.fround(x[i + 16 + j] * inverse) + 8.5) | 0;
    blocks[at + 2 + j] = Math.min(15, low) | (Math.min(15, high) << 4);
  }
  return d;
}

/** d = the largest magnitude / 127; q = x / d, halves rounded away from zero. Returns d. */
function quantizeBlockQ8_0(
  x: Float32Array,
  largest: number,
  i: number,
  blocks: Uint8Array,
  at: number,
): number {
  const d = Math.fround(Math.abs(x[largest]) / 127);
  const inverse = invert(d);
  for (let j = 0; j < BLOCK_SIZE; j++) {
    const halves = (Math.fround(x[i + j] * inverse) * 2) | 0;
    // Without a branch on the sign, which is unpredictable.
    blocks[at + 2 + j] = ((halves + ((halves >> 31) | 1)) / 2) | 0;
  }
  return d;
}
