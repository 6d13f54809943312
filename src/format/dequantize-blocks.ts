/** The values of block types that this package cannot write: blocks as dtypes.ts draws them. */
import { TENSOR_TYPES, type TensorType } from "./dtypes.js";
import { f16Values } from "./f16.js";
import { DEQUANTIZED_TYPES, type DequantizedType, dequantize } from "./quantize.js";

/** One block at `at`, whose values begin at `i`. */
type BlockReader = (bytes: Uint8Array, at: number, values: Float32Array, i: number) => void;

/**
 * Writes the values of whole blocks of any type; `values` has exactly their length. Each is rounded
 * to f32 once.
 */
export function dequantizeAny(type: TensorType, bytes: Uint8Array, values: Float32Array): void {
  if ((DEQUANTIZED_TYPES as readonly TensorType[]).includes(type)) {
    dequantize(type as DequantizedType, bytes, values);
    return;
  }
  const readBlock = READERS[type as keyof typeof READERS];
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  for (let at = 0, i = 0; i < values.length; at += blockBytes, i += blockSize) {
    readBlock(bytes, at, values, i);
  }
}

function f16At(bytes: Uint8Array, at: number): number {
  return f16Values()[bytes[at] | (bytes[at + 1] << 8)];
}

/** Blocks of 32: nibbles at `qs`, fifth bits at `qh` if there are any, x = d (q - zero) + m. */
function block32({
  qs,
  qh,
  zero = 0,
  hasMin = false,
}: {
  qs: number;
  qh?: number;
  zero?: number;
  hasMin?: boolean;
}): BlockReader {
  return (bytes, at, values, i) => {
    const d = f16At(bytes, at);
    // Without a minimum -0, which also keeps the sign of zeros.
    const m = hasMin ? f16At(bytes, at + 2) : -0;
    for (let j = 0; j < 32; j++) {
      const nibble = (bytes[at + qs + (j & 15)] >> (4 * (j >> 4))) & 15;
      const fifth = qh === undefined ? 0 : (bytes[at + qh + (j >> 3)] >> (j & 7)) & 1;
      values[i + j] = d * (nibble + 16 * fifth - zero) + m;
    }
  };
}

function readQ2K(bytes: Uint8Array, at: number, values: Float32Array, i: number): void {
  const d = f16At(bytes, at + 80);
  const dmin = f16At(bytes, at + 82);
  for (let j = 0; j < 256; j++) {
    const group = bytes[at + (j >> 4)];
    const q = (bytes[at + 16 + 32 * (j >> 7) + (j & 31)] >> (2 * ((j >> 5) & 3))) & 3;
    values[i + j] = d * (group & 15) * q - dmin * (group >> 4);
  }
}

function readQ3K(bytes: Uint8Array, at: number, values: Float32Array, i: number): void {
  const d = f16At(bytes, at + 108);
  for (let j = 0; j < 256; j++) {
    const [half, part, g] = [j >> 7, (j >> 5) & 3, j >> 4];
    const low = (bytes[at + 32 + 32 * half + (j & 31)] >> (2 * part)) & 3;
    const high = (bytes[at + (j & 31)] >> (4 * half + part)) & 1;
    const scaleLow = (bytes[at + 96 + (g & 7)] >> (4 * (g >> 3))) & 15;
    const scaleHigh = (bytes[at + 104 + (g & 3)] >> (2 * (g >> 2))) & 3;
    values[i + j] = d * (scaleLow + 16 * scaleHigh - 32) * (low + 4 * high - 4);
  }
}

/** Q4_K and, with fifth bits at 16, Q5_K. */
function blockK(qs: number): BlockReader {
  return (bytes, at, values, i) => {
    const d = f16At(bytes, at);
    const dmin = f16At(bytes, at + 2);
    for (let j = 0; j < 256; j++) {
      const g = j >> 5;
      const nibble = (bytes[at + qs + 32 * (j >> 6) + (j & 31)] >> (4 * (g & 1))) & 15;
      const fifth = qs === 16 ? 0 : (bytes[at + 16 + (j & 31)] >> g) & 1;
      const [scale, min] = scaleAndMin(bytes, at + 4, g);
      values[i + j] = d * scale * (nibble + 16 * fifth) - dmin * min;
    }
  };
}

/** The 6-bit scale and minimum of group g. */
function scaleAndMin(bytes: Uint8Array, at: number, g: number): [scale: number, min: number] {
  if (g < 4) return [bytes[at + g] & 63, bytes[at + g + 4] & 63];
  const low = bytes[at + g + 4];
  return [(low & 15) | ((bytes[at + g - 4] >> 6) << 4), (low >> 4) | ((bytes[at + g] >> 6) << 4)];
}

function readQ6K(bytes: Uint8Array, at: number, values: Float32Array, i: number): void {
  const d = f16At(bytes, at + 208);
  for (let j = 0; j < 256; j++) {
    const [half, part] = [j >> 7, (j >> 5) & 3];
    const low = (bytes[at + 64 * half + 32 * (part & 1) + (j & 31)] >> (4 * (part >> 1))) & 15;
    const high = (bytes[at + 128 + 32 * half + (j & 31)] >> (2 * part)) & 3;
    const scale = (bytes[at + 192 + (j >> 4)] << 24) >> 24;
    values[i + j] = d * scale * (low + 16 * high - 32);
  }
}

const READERS: Readonly<Record<Exclude<TensorType, DequantizedType>, BlockReader>> = {
  Q4_0: block32({ qs: 2, zero: 8 }),
  Q4_1: block32({ qs: 4, hasMin: true }),
  Q5_0: block32({ qs: 6, qh: 2, zero: 16 }),
  Q5_1: block32({ qs: 8, qh: 4, hasMin: true }),
  Q2_K: readQ2K,
  Q3_K: readQ3K,
  Q4_K: blockK(16),
  Q5_K: blockK(48),
  Q6_K: readQ6K,
};
