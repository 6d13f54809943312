/** Random GGUF tensors of every type, with scales and integers that reach all extremes. */
import { TENSOR_TYPES, type TensorType, tensorBytes } from "../../../src/format/dtypes.js";
import { dequantize } from "../../format/support/dequantize.js";
import { gaussian } from "../../support/random.js";
import { referenceF16Bits } from "../../support/reference.js";

/** A tensor [rows, cols]: its bytes as in a file and its values. */
export interface Tensor {
  readonly type: TensorType;
  readonly rows: number;
  readonly cols: number;
  readonly bytes: Uint8Array;
  readonly values: Float32Array;
  /** A bound on |scale * integer| + |minimum|, the terms of each value. */
  readonly magnitudes: Float32Array;
}

/** A tensor's type and shape. */
export interface TensorShape {
  type: TensorType;
  rows: number;
  cols: number;
}

/** Where the f16 fields of a block lie: scale first, then minimum. */
export const F16_FIELDS: Readonly<Partial<Record<TensorType, readonly number[]>>> = {
  Q8_0: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** The types that are packed, and those kept as floats. */
export const QUANTIZED_TYPES: readonly TensorType[] = Object.keys(F16_FIELDS) as TensorType[];
export const FLOAT_TYPES: readonly TensorType[] = ["F32", "F16", "BF16"];

/** Bits of a scale: mostly normal, of either sign, sometimes zero or subnormal. */
function randomScale(random: () => number): number {
  const kind = random();
  if (kind < 1 / 16) return random() < 0.5 ? 0 : 0x8000;
  if (kind < 1 / 8) return (random() < 0.5 ? 0 : 0x8000) | (1 + Math.floor(random() * 1023));
  return referenceF16Bits((random() - 0.5) * 0.04);
}

/** Bytes of a quantised block: random, or sometimes all the same extreme. */
function fillBlock(block: Uint8Array, random: () => number): void {
  const kind = Math.floor(random() * 64);
  const extremes = [0x00, 0xff, 0x7f, 0x80, 0x88, 0x81];
  if (kind < extremes.length) block.fill(extremes[kind]);
  else for (let i = 0; i < block.length; i++) block[i] = random() * 256;
}

/** Bytes of `elements` values of a type. */
export function randomBytes(type: TensorType, elements: number, random: () => number): Uint8Array {
  if (type === "F32") return new Uint8Array(gaussian(elements, random).buffer);
  if (type === "F16") {
    const bits = Array.from(gaussian(elements, random, 0.02), (value) => referenceF16Bits(value));
    for (let i = 0; i < elements; i += 61) bits[i] = randomScale(random);
    return new Uint8Array(Uint16Array.from(bits).buffer);
  }
  if (type === "BF16") {
    const bits = new Uint32Array(gaussian(elements, random).buffer);
    return new Uint8Array(Uint16Array.from(bits, (value) => value >>> 16).buffer);
  }
  const { blockBytes } = TENSOR_TYPES[type];
  const bytes = new Uint8Array(tensorBytes(type, elements));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    fillBlock(bytes.subarray(at, at + blockBytes), random);
    for (const field of F16_FIELDS[type]!) view.setUint16(at + field, randomScale(random), true);
  }
  return bytes;
}

/** The tensor with these bytes. */
export function tensorOf(shape: TensorShape, bytes: Uint8Array): Tensor {
  const values = dequantize(shape.type, bytes);
  const magnitudes = values.map(Math.abs);
  if (F16_FIELDS[shape.type]?.length === 2) {
    const { scales, largest } = scalesOf(shape.type, bytes);
    for (let i = 0; i < magnitudes.length; i++) magnitudes[i] += 2 * largest * scales[i];
  }
  return { ...shape, bytes, values, magnitudes };
}

/** A random tensor. */
export function randomTensor(shape: TensorShape, random: () => number): Tensor {
  return tensorOf(shape, randomBytes(shape.type, shape.rows * shape.cols, random));
}

/** Where a block's integers lie, their value with all bits set (less the bias), and the largest. */
const INTEGERS: Readonly<Partial<Record<TensorType, readonly [number, number, number, number]>>> = {
  Q8_0: [2, 34, -1, 128],
  Q4_0: [2, 18, 7, 8],
  Q4_1: [4, 20, 15, 15],
  Q5_0: [2, 22, 15, 16],
  Q5_1: [4, 24, 31, 31],
  Q2_K: [16, 80, 3, 3],
  Q3_K: [0, 96, 3, 4],
  Q4_K: [16, 144, 15, 15],
  Q5_K: [16, 176, 31, 31],
  Q6_K: [0, 192, 31, 32],
};

/** For each weight, its scale's magnitude, and the largest integer of its type. */
export function scalesOf(
  type: TensorType,
  bytes: Uint8Array,
): { scales: Float32Array; largest: number } {
  const [start, end, allOnes, largest] = INTEGERS[type]!;
  const { blockBytes } = TENSOR_TYPES[type];
  const ones = bytes.slice();
  for (let at = 0; at < ones.length; at += blockBytes) {
    ones.fill(0xff, at + start, at + end);
    for (const field of F16_FIELDS[type]!.slice(1)) ones.fill(0, at + field, at + field + 2);
  }
  return { scales: dequantize(type, ones).map((value) => Math.abs(value / allOnes)), largest };
}

/** Normal values; a share of `density` is not zero. */
export function sparseGaussian(n: number, density: number, random: () => number): Float32Array {
  return gaussian(n, random).map((value) => (random() < density ? value : 0));
}
