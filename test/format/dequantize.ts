/** De-quantisation of GGUF's tensor types in plain loops: the definitions that packing must keep. */
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { referenceF16Value } from "../reference.js";

/** The float values of one block of the type, element by element, from its drawing in dtypes.ts. */
type BlockDefinition = (block: DataView) => (j: number) => number;

const F16_VALUES = Float32Array.from({ length: 65536 }, (_, bits) => referenceF16Value(bits));

const f16 = (block: DataView, at: number): number => F16_VALUES[block.getUint16(at, true)];

/** Nibble j of 32 in 16 bytes: the low ones are the first half. */
const nibble = (block: DataView, at: number, j: number): number =>
  (block.getUint8(at + (j % 16)) >> (j < 16 ? 0 : 4)) & 15;

/** Nibble j of 256 in 128 bytes: 64 to 32 bytes, low ones first. */
const longNibble = (block: DataView, at: number, j: number): number =>
  (block.getUint8(at + 32 * Math.floor(j / 64) + (j % 32)) >> (j % 64 < 32 ? 0 : 4)) & 15;

/** Two bits j of 256 in 64 bytes: 128 to 32 bytes, lowest first. */
const pair = (block: DataView, at: number, j: number): number =>
  (block.getUint8(at + 32 * Math.floor(j / 128) + (j % 32)) >> (2 * (Math.floor(j / 32) % 4))) & 3;

/** 6-bit scale and minimum of group g of 8, in the 12 bytes at 4 of Q4_K and Q5_K. */
function scaleAndMinimum(block: DataView, g: number): [number, number] {
  const s = (i: number): number => block.getUint8(4 + i);
  if (g < 4) return [s(g) & 63, s(g + 4) & 63];
  return [(s(g + 4) & 15) | ((s(g - 4) >> 6) << 4), (s(g + 4) >> 4) | ((s(g) >> 6) << 4)];
}

/** d * sc * q - dmin * mn, groups of 32. */
function scaled(block: DataView, integer: (j: number) => number): (j: number) => number {
  return (j) => {
    const [scale, minimum] = scaleAndMinimum(block, Math.floor(j / 32));
    return f16(block, 0) * scale * integer(j) - f16(block, 2) * minimum;
  };
}

/** 6-bit scale of group g of 16 in Q3_K. */
function scaleOfQ3K(block: DataView, g: number): number {
  const low = (block.getUint8(96 + (g % 8)) >> (g < 8 ? 0 : 4)) & 15;
  const high = (block.getUint8(104 + (g % 4)) >> (2 * Math.floor(g / 4))) & 3;
  return (low | (high << 4)) - 32;
}

const DEFINITIONS: Readonly<Record<TensorType, BlockDefinition>> = {
  F32: (b) => () => b.getFloat32(0, true),
  F16: (b) => () => f16(b, 0),
  BF16: (b) => () => new Float32Array(Uint32Array.of(b.getUint16(0, true) << 16).buffer)[0],
  Q8_0: (b) => (j) => f16(b, 0) * b.getInt8(2 + j),
  Q4_0: (b) => (j) => f16(b, 0) * (nibble(b, 2, j) - 8),
  Q4_1: (b) => (j) => f16(b, 0) * nibble(b, 4, j) + f16(b, 2),
  Q5_0: (b) => (j) =>
    f16(b, 0) * ((nibble(b, 6, j) | (((b.getUint32(2, true) >>> j) & 1) << 4)) - 16),
  Q5_1: (b) => (j) =>
    f16(b, 0) * (nibble(b, 8, j) | (((b.getUint32(4, true) >>> j) & 1) << 4)) + f16(b, 2),
  Q2_K: (b) => (j) => {
    const sc = b.getUint8(Math.floor(j / 16));
    return f16(b, 80) * (sc & 15) * pair(b, 16, j) - f16(b, 82) * (sc >> 4);
  },
  Q3_K: (b) => (j) => {
    const high = (b.getUint8(j % 32) >> Math.floor(j / 32)) & 1;
    return f16(b, 108) * scaleOfQ3K(b, Math.floor(j / 16)) * (pair(b, 32, j) + 4 * high - 4);
  },
  Q4_K: (b) => scaled(b, (j) => longNibble(b, 16, j)),
  Q5_K: (b) =>
    scaled(
      b,
      (j) => longNibble(b, 48, j) | (((b.getUint8(16 + (j % 32)) >> Math.floor(j / 32)) & 1) << 4),
    ),
  Q6_K: (b) => (j) => {
    const p = Math.floor(j / 32) % 4;
    const at = 64 * Math.floor(j / 128) + 32 * (p % 2) + (j % 32);
    const q = ((b.getUint8(at) >> (p < 2 ? 0 : 4)) & 15) | (pair(b, 128, j) << 4);
    return f16(b, 208) * b.getInt8(192 + Math.floor(j / 16)) * (q - 32);
  },
};

/**
 * The values of whole blocks. f64 holds every product and sum of a block exactly, so that the one
 * rounding is that to f32.
 */
export function dequantize(type: TensorType, bytes: Uint8Array): Float32Array {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const values = new Float32Array((bytes.length / blockBytes) * blockSize);
  for (let b = 0; b < bytes.length / blockBytes; b++) {
    const block = new DataView(bytes.buffer, bytes.byteOffset + b * blockBytes, blockBytes);
    const value = DEFINITIONS[type](block);
    for (let j = 0; j < blockSize; j++) values[b * blockSize + j] = value(j);
  }
  return values;
}
