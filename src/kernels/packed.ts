/** Sizes of packed weights, as assembly/linear/layout.ts draws them, whatever the model. */

/**
 * A packed type: its id in the kernels, and bytes of `unit` inputs of 8 rows (panel) or 1 (slab).
 */
export interface PackedType {
  readonly id: number;
  /** Inputs that share a block: rows are a multiple of it. */
  readonly unit: number;
  /** Bytes of `unit` inputs of an 8-row panel; 8 times those of a slab's output. */
  readonly panelBytes: number;
  /** Inputs that share a scale. */
  readonly scaleUnit: number;
  readonly hasMinimums: boolean;
  /** Bytes of one value, without its share of scales and minimums. */
  readonly valueBytes: number;
  /**
   * The forms in which a matvec takes a token: i16 rows, and two planes of bytes for the relaxed
   * dot. A type with neither has no matvec; Q4M is too rare for the second.
   */
  readonly matvec: readonly MatvecForm[];
}

/** The form of one token's rounded activations. */
export type MatvecForm = "I16" | "S8X2";

const BOTH: readonly MatvecForm[] = ["I16", "S8X2"];

/** Names of the packed types. */
export type PackedTypeName =
  | "Q8"
  | "Q8M"
  | "Q4"
  | "Q4M"
  | "Q4K"
  | "Q8K"
  | "Q6K"
  | "F32"
  | "F16"
  | "BF16";

/** The packed types by name. Float types keep the file's rows. */
export const PACKED_TYPES: Readonly<Record<PackedTypeName, PackedType>> = {
  Q8: {
    id: 0,
    unit: 32,
    panelBytes: 272,
    valueBytes: 1,
    scaleUnit: 32,
    hasMinimums: false,
    matvec: BOTH,
  },
  Q8M: {
    id: 1,
    unit: 32,
    panelBytes: 288,
    valueBytes: 1,
    scaleUnit: 32,
    hasMinimums: true,
    matvec: [],
  },
  Q4: {
    id: 2,
    unit: 32,
    panelBytes: 144,
    valueBytes: 0.5,
    scaleUnit: 32,
    hasMinimums: false,
    matvec: BOTH,
  },
  Q4M: {
    id: 3,
    unit: 32,
    panelBytes: 160,
    valueBytes: 0.5,
    scaleUnit: 32,
    hasMinimums: true,
    matvec: ["I16"],
  },
  Q4K: {
    id: 4,
    unit: 256,
    panelBytes: 1184,
    valueBytes: 0.5,
    scaleUnit: 32,
    hasMinimums: true,
    matvec: BOTH,
  },
  Q8K: {
    id: 5,
    unit: 256,
    panelBytes: 2336,
    valueBytes: 1,
    scaleUnit: 16,
    hasMinimums: true,
    matvec: [],
  },
  Q6K: {
    id: 6,
    unit: 256,
    panelBytes: 1680,
    valueBytes: 0.75,
    scaleUnit: 16,
    hasMinimums: false,
    matvec: [],
  },
  F32: {
    id: 7,
    unit: 1,
    panelBytes: 32,
    valueBytes: 4,
    scaleUnit: 1,
    hasMinimums: false,
    matvec: [],
  },
  F16: {
    id: 8,
    unit: 1,
    panelBytes: 16,
    valueBytes: 2,
    scaleUnit: 1,
    hasMinimums: false,
    matvec: [],
  },
  BF16: {
    id: 9,
    unit: 1,
    panelBytes: 16,
    valueBytes: 2,
    scaleUnit: 1,
    hasMinimums: false,
    matvec: [],
  },
};

/** Whether a packed type holds floats, so that its products are float products. */
export function isFloatType(type: PackedTypeName): type is "F32" | "F16" | "BF16" {
  return type === "F32" || type === "F16" || type === "BF16";
}

/** Rows of a matrix in memory: packed types come in panels of 8. */
export function paddedRows(type: PackedTypeName, rows: number): number {
  return isFloatType(type) ? rows : Math.ceil(rows / 8) * 8;
}

/** Bytes of a packed [rows, cols] matrix, in panels or, with the same count, as a slab. */
export function packedBytes(type: PackedTypeName, rows: number, cols: number): number {
  const { unit, panelBytes } = PACKED_TYPES[type];
  return (paddedRows(type, rows) / 8) * panelBytes * (cols / unit);
}

/** Bytes of one row of `n` activations as quantizeI16 and quantizeS8X2 write it. */
export function i16RowBytes(n: number): number {
  return (n / 32) * 76;
}

/** Bytes of `rows` rows of `n` activations in the largest form. */
export function activationBytes(rows: number, n: number): number {
  return Math.ceil(rows / 4) * 4 * (n / 32) * 80;
}

/** Bytes of scratch that the kernels need to unpack one panel of `cols` inputs. */
export function unpackedPanelBytes(cols: number): number {
  return (cols / 32) * 384;
}

/** Bytes of the absorbed keys (assembly/linear/absorb.ts) of a packed [rows, cols] matrix. */
export function absorbedBytes(type: PackedTypeName, rows: number, cols: number): number {
  const { scaleUnit, hasMinimums } = PACKED_TYPES[type];
  const inputs = Math.ceil(rows / 32) * 32;
  const scales = (cols / scaleUnit) * inputs;
  return inputs * 4 + scales * (hasMinimums ? 6 : 2) + inputs * cols;
}

/** Bytes of scratch that absorbI16 and absorbS8X2 need. */
export function absorbScratchBytes(rows: number, cols: number): number {
  const inputs = Math.ceil(rows / 32) * 32;
  return (cols / 16 + 1) * i16RowBytes(inputs) + inputs * 4;
}

/** Bytes of scratch that packPanels and packSlab need. */
export const PACK_SCRATCH_BYTES: number = 2 * 64 * 256 + 512;

/** Outputs that packSlab takes at a time: a call has a multiple, or fewer at the end. */
export const SLAB_ROWS = 64;

/** Bytes of scratch that sparseMatmulI16 needs for `n` tokens. */
export function sparseScratchBytes(n: number, outputs: number): number {
  return n * 4 + 16 + 16 * 12 + outputs * 40;
}

/** Bytes of scratch that sparseMatmulTiles needs. */
export function tiledScratchBytes(neurons: number, outputs: number): number {
  return 256 + neurons * 128 + outputs * 9;
}

/** Neurons that pairs can name. */
export const MOST_PAIRED_NEURONS = 65536;

/** Rows of a page of the cache, as in assembly/attention/cache.ts. */
export const PAGE_ROWS = 64;

/** Bytes of scratch that the attendLatent kernels need. */
export function attendLatentScratchBytes(
  heads: number,
  latentDim: number,
  ropeDim: number,
): number {
  const dims = latentDim + ropeDim;
  return Math.ceil(heads / 4) * (1152 + 10 * dims) + 64 * (16 + 2 * dims);
}

/** Bytes of scratch that attendExpandedTile and attendExpandedTileI16 need. */
export function attendExpandedScratchBytes(
  nopeDim: number,
  ropeDim: number,
  valueDim: number,
): number {
  return 128 * (nopeDim + ropeDim + valueDim) + 6272;
}

/** Bytes of the softmax states of attendExpandedTile and attendExpandedTileI16. */
export function attendExpandedStateBytes(queries: number, heads: number): number {
  return Math.ceil(queries / 4) * heads * 64;
}

/** Bytes of the queries that attendExpandedStartI16 packs; `qkDim` values each. */
export function attendExpandedQueryBytes(queries: number, heads: number, qkDim: number): number {
  return Math.ceil(queries / 4) * heads * (32 + 8 * qkDim);
}

/**
 * Whether a byte of panels lies as the dot reads it (assembly/reading.ts), so that its bit 7
 * depends on the engine: those of cells of Q8, Q4 and Q4K.
 */
export function isRead(type: PackedTypeName, at: number): boolean {
  const inBlock = at % PACKED_TYPES[type].panelBytes;
  if (type === "Q8" || type === "Q4") return inBlock >= 16;
  // 32 bytes of scales, then 8 blocks as of Q4.
  return type === "Q4K" && inBlock >= 32 && (inBlock - 32) % PACKED_TYPES.Q4.panelBytes >= 16;
}
