/**
 * The values of stored tensor bytes, by plain loops straight from the block definitions in
 * src/format/dtypes.ts. The oracle for everything that packs or multiplies quantised weights.
 */
import { TENSOR_TYPES, type TensorType } from "../../../src/format/dtypes.js";

/** The value of an IEEE 754 binary16. */
export function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The values of whole blocks. Sums are rounded to f32 once, products are exact. */
export function dequantize(type: TensorType, bytes: Uint8Array): Float32Array {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  if (bytes.length % blockBytes !== 0) throw new RangeError(`${bytes.length} bytes of ${type}`);
  const values = new Float32Array((bytes.length / blockBytes) * blockSize);
  for (let i = 0; i * blockBytes < bytes.length; i++) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + i * blockBytes, blockBytes);
    const value = VALUES[type](view);
    for (let j = 0; j < blockSize; j++) values[i * blockSize + j] = value(j);
  }
  return values;
}

/** For each type: a block, and then the value of its element j. */
const VALUES: Record<TensorType, (block: DataView) => (j: number) => number> = {
  F32: (block) => () => block.getFloat32(0, true),
  F16: (block) => () => f16(block, 0),
  BF16: (block) => () => bf16(block),
  Q8_0: (block) => (j) => f16(block, 0) * block.getInt8(2 + j),
  Q4_0: (block) => (j) => f16(block, 0) * (nibble32(block, 2, j) - 8),
  Q4_1: (block) => (j) => f16(block, 0) * nibble32(block, 4, j) + f16(block, 2),
  Q5_0: (block) => (j) => f16(block, 0) * (nibble32(block, 6, j) + 16 * bit32(block, 2, j) - 16),
  Q5_1: (block) => (j) =>
    f16(block, 0) * (nibble32(block, 8, j) + 16 * bit32(block, 4, j)) + f16(block, 2),
  Q2_K: (block) => (j) => {
    const group = block.getUint8(j >> 4);
    const q = (block.getUint8(16 + 32 * (j >> 7) + (j & 31)) >> (2 * ((j >> 5) & 3))) & 3;
    return f16(block, 80) * (group & 15) * q - f16(block, 82) * (group >> 4);
  },
  Q3_K: (block) => (j) => {
    const half = j >> 7;
    const part = (j >> 5) & 3;
    const low = (block.getUint8(32 + 32 * half + (j & 31)) >> (2 * part)) & 3;
    const high = (block.getUint8(j & 31) >> (4 * half + part)) & 1;
    const g = j >> 4;
    const scaleLow = (block.getUint8(96 + (g & 7)) >> (4 * (g >> 3))) & 15;
    const scaleHigh = (block.getUint8(96 + 8 + (g & 3)) >> (2 * (g >> 2))) & 3;
    return f16(block, 108) * (scaleLow + 16 * scaleHigh - 32) * (low + 4 * high - 4);
  },
  Q4_K: (block) => (j) => {
    const { scale, min } = scaleAndMin(block, j >> 5);
    return f16(block, 0) * scale * nibbleK(block, 16, j) - f16(block, 2) * min;
  },
  Q5_K: (block) => (j) => {
    const { scale, min } = scaleAndMin(block, j >> 5);
    const high = (block.getUint8(16 + (j & 31)) >> (j >> 5)) & 1;
    return f16(block, 0) * scale * (nibbleK(block, 48, j) + 16 * high) - f16(block, 2) * min;
  },
  Q6_K: (block) => (j) => {
    const half = j >> 7;
    const part = (j >> 5) & 3;
    const low = (block.getUint8(64 * half + 32 * (part & 1) + (j & 31)) >> (4 * (part >> 1))) & 15;
    const high = (block.getUint8(128 + 32 * half + (j & 31)) >> (2 * part)) & 3;
    return f16(block, 208) * block.getInt8(192 + (j >> 4)) * (low + 16 * high - 32);
  },
};

function f16(block: DataView, at: number): number {
  return f16ToNumber(block.getUint16(at, true));
}

function bf16(block: DataView): number {
  const widened = new DataView(new ArrayBuffer(4));
  widened.setUint16(2, block.getUint16(0, true), true);
  return widened.getFloat32(0, true);
}

/** Nibble j of a block of 32: the low ones come first. */
function nibble32(block: DataView, at: number, j: number): number {
  return (block.getUint8(at + (j & 15)) >> (4 * (j >> 4))) & 15;
}

function bit32(block: DataView, at: number, j: number): number {
  return (block.getUint32(at, true) >>> j) & 1;
}

/** Nibble j of Q4_K and Q5_K: 32 low ones and then the 32 high ones of the same bytes. */
function nibbleK(block: DataView, at: number, j: number): number {
  return (block.getUint8(at + 32 * (j >> 6) + (j & 31)) >> (4 * ((j >> 5) & 1))) & 15;
}

/** The 6-bit scale and minimum of group g of Q4_K and Q5_K. */
function scaleAndMin(block: DataView, g: number): { scale: number; min: number } {
  const s = (i: number): number => block.getUint8(4 + i);
  if (g < 4) return { scale: s(g) & 63, min: s(g + 4) & 63 };
  return {
    scale: (s(g + 4) & 15) | ((s(g - 4) >> 6) << 4),
    min: (s(g + 4) >> 4) | ((s(g) >> 6) << 4),
  };
}
