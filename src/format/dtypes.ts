/**
 * Tensor types of GGUF: block sizes and the bytes of each block, after ggml's `ggml-common.h`.
 * Fields are little-endian; element j counts from 0 within the block.
 */

/** A tensor type's number in the file and its block: `blockSize` elements in `blockBytes` bytes. */
export interface TensorTypeInfo {
  readonly id: number;
  readonly blockSize: number;
  readonly blockBytes: number;
}

/** The tensor types that can be read, by the name that GGUF tools print. */
export type TensorType =
  | "F32"
  | "F16"
  | "BF16"
  | "Q8_0"
  | "Q4_0"
  | "Q4_1"
  | "Q5_0"
  | "Q5_1"
  | "Q2_K"
  | "Q3_K"
  | "Q4_K"
  | "Q5_K"
  | "Q6_K";

/**
 * Every readable type. F32 and F16 are IEEE 754 binary32 and binary16; BF16 is the upper half of a
 * binary32. The rest are blocks:
 *
 * ```
 * Q8_0, 32 elements                    x[j] = d * qs[j]
 *   +------+-----------------------+
 *   | d    | qs                    |
 *   | f16  | i8 [32]               |
 *   +------+-----------------------+
 *   0      2                       34
 *
 * Q4_0, 32 elements                    x[j] = d * (q[j] - 8)
 *   +------+-----------------------+
 *   | d    | qs                    |  q[j]      = low  nibble of qs[j],  j < 16
 *   | f16  | u8 [16]               |  q[j + 16] = high nibble of qs[j]
 *   +------+-----------------------+
 *   0      2                       18
 *
 * Q4_1, 32 elements                    x[j] = d * q[j] + m
 *   +------+------+----------------+
 *   | d    | m    | qs             |  q as in Q4_0
 *   | f16  | f16  | u8 [16]        |
 *   +------+------+----------------+
 *   0      2      4                20
 *
 * Q5_0, 32 elements                    x[j] = d * (q[j] - 16)
 *   +------+------+----------------+
 *   | d    | qh   | qs             |  low 4 bits as in Q4_0
 *   | f16  | u32  | u8 [16]        |  bit 4 of q[j] = bit j of qh, j < 32
 *   +------+------+----------------+
 *   0      2      6                22
 *
 * Q5_1, 32 elements                    x[j] = d * q[j] + m
 *   +------+------+------+---------+
 *   | d    | m    | qh   | qs      |  q as in Q5_0
 *   | f16  | f16  | u32  | u8 [16] |
 *   +------+------+------+---------+
 *   0      2      4      8         24
 *
 * Q2_K, 256 elements = 16 groups of 16; j = 128 h + 32 p + l, group g = floor(j / 16)
 *                                      x[j] = d * (sc[g] & 15) * q[j] - dmin * (sc[g] >> 4)
 *   +---------+---------+------+------+
 *   | sc      | qs      | d    | dmin |  q[j] = bits 2p, 2p+1 of qs[32 h + l]
 *   | u8 [16] | u8 [64] | f16  | f16  |
 *   +---------+---------+------+------+
 *   0         16        80     82     84
 *
 * Q3_K, 256 elements = 16 groups of 16; h, p, l, g as in Q2_K
 *                                      x[j] = d * (sc[g] - 32) * (q[j] - 4)
 *   +---------+---------+---------+------+
 *   | hmask   | qs      | scales  | d    |  low 2 bits of q[j] = bits 2p, 2p+1 of qs[32 h + l]
 *   | u8 [32] | u8 [64] | u8 [12] | f16  |  bit 2 of q[j] = bit 4h+p of hmask[l]
 *   +---------+---------+---------+------+
 *   0         32        96        108    110
 *   sc[g], 6 bits: low 4 = nibble of scales[g % 8], low nibble for g < 8, high for g >= 8;
 *   high 2 = bits 2 floor(g / 4), +1 of scales[8 + g % 4]
 *
 * Q4_K, 256 elements = 8 groups of 32; g = floor(j / 32), l = j % 32
 *                                      x[j] = d * sc[g] * q[j] - dmin * mn[g]
 *   +------+------+---------+----------+
 *   | d    | dmin | scales  | qs       |  q[j] = nibble of qs[32 floor(g / 2) + l],
 *   | f16  | f16  | u8 [12] | u8 [128] |  low for even g, high for odd g
 *   +------+------+---------+----------+
 *   0      2      4         16         144
 *   sc[g], mn[g], 6 bits each, s = scales:
 *     g < 4:   sc = s[g] & 63                             mn = s[g + 4] & 63
 *     g >= 4:  sc = s[g + 4] & 15 | (s[g - 4] >> 6) << 4  mn = s[g + 4] >> 4 | (s[g] >> 6) << 4
 *
 * Q5_K, 256 elements = 8 groups of 32; g, l, sc, mn as in Q4_K
 *                                      x[j] = d * sc[g] * q[j] - dmin * mn[g]
 *   +------+------+---------+---------+----------+
 *   | d    | dmin | scales  | qh      | qs       |  low 4 bits of q[j] as in Q4_K
 *   | f16  | f16  | u8 [12] | u8 [32] | u8 [128] |  bit 4 of q[j] = bit g of qh[l]
 *   +------+------+---------+---------+----------+
 *   0      2      4         16        48         176
 *
 * Q6_K, 256 elements = 16 groups of 16; j = 128 h + 32 p + l, group g = floor(j / 16)
 *                                      x[j] = d * scales[g] * (q[j] - 32)
 *   +----------+---------+---------+------+
 *   | ql       | qh      | scales  | d    |  low 4 bits of q[j] = nibble of
 *   | u8 [128] | u8 [64] | i8 [16] | f16  |    ql[64 h + 32 (p % 2) + l], low for p < 2, high else
 *   +----------+---------+---------+------+  bits 4, 5 of q[j] = bits 2p, 2p+1 of qh[32 h + l]
 *   0          128       192       208    210
 * ```
 */
export const TENSOR_TYPES: Readonly<Record<TensorType, TensorTypeInfo>> = {
  F32: { id: 0, blockSize: 1, blockBytes: 4 },
  F16: { id: 1, blockSize: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockSize: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockSize: 32, blockBytes: 24 },
  Q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  Q2_K: { id: 10, blockSize: 256, blockBytes: 84 },
  Q3_K: { id: 11, blockSize: 256, blockBytes: 110 },
  Q4_K: { id: 12, blockSize: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockSize: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockSize: 256, blockBytes: 210 },
  BF16: { id: 30, blockSize: 1, blockBytes: 2 },
};

const TYPE_OF_ID = new Map<number, TensorType>(
  (Object.keys(TENSOR_TYPES) as TensorType[]).map((type) => [TENSOR_TYPES[type].id, type]),
);

/** The type with this number in GGUF, or undefined if it is not readable. */
export function tensorTypeOfId(id: number): TensorType | undefined {
  return TYPE_OF_ID.get(id);
}

/** Types that ggml defines or defined and that cannot be read, so that messages can name them. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  4: "Q4_2",
  5: "Q4_3",
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  31: "Q4_0_4_4",
  32: "Q4_0_4_8",
  33: "Q4_0_8_8",
  34: "TQ1_0",
  35: "TQ2_0",
  36: "IQ4_NL_4_4",
  37: "IQ4_NL_4_8",
  38: "IQ4_NL_8_8",
  39: "MXFP4",
  40: "NVFP4",
  41: "Q1_0",
  42: "Q2_0",
};

/** The type with this number in a message: "8 (Q8_0)", or the number if it has no name. */
export function describeTensorType(id: number): string {
  const name = TYPE_OF_ID.get(id) ?? OTHER_TYPES[id];
  return name === undefined ? String(id) : `${id} (${name})`;
}

/** Bytes of `elements` values; the count must be a multiple of the type's block size. */
export function tensorBytes(type: TensorType, elements: number): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  return (elements / blockSize) * blockBytes;
}
