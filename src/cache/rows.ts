/**
 * The rows of the latent KV cache: for each layer and position one row [latent kvLoraRank | k_pe
 * qkRopeHeadDim], all that attention keeps of a token (8.9 times less than keys and values). Rows
 * are plain bytes, to copy and to save.
 */
import type { AttendLatent, Kernels } from "../kernels/kernels.js";

/** How cached numbers are held; assembly/attention/cache.ts draws the rows. */
export type CacheType = "i16" | "f32" | "f16" | "q8_0";

/** The cache types; the first is the default. */
export const CACHE_TYPES: readonly CacheType[] = ["i16", "f32", "f16", "q8_0"];

/** The two parts of a row, in values: MLA's latent and its rotated key. */
export interface RowParts {
  readonly kvLoraRank: number;
  readonly qkRopeHeadDim: number;
}

/** Bytes of one row: one position in one layer. */
export function cacheRowBytes(type: CacheType, parts: RowParts): number {
  const values = parts.kvLoraRank + parts.qkRopeHeadDim;
  switch (type) {
    case "f32":
      return 4 * values;
    case "f16":
      return 2 * values;
    case "i16":
      return 2 * values + 16;
    case "q8_0":
      return (values / 32) * 34;
  }
}

/** How the names of each type's kernels end. */
const KERNEL_SUFFIX = { f32: "F32", f16: "F16", i16: "I16", q8_0: "Q8_0" } as const;

/** Rows of one type: their size, and the kernels that write, read and attend to them. */
export class CacheRows {
  readonly type: CacheType;
  readonly rowBytes: number;
  readonly #kernels: Kernels;
  readonly #parts: RowParts;

  constructor(kernels: Kernels, type: CacheType, parts: RowParts) {
    this.type = type;
    this.rowBytes = cacheRowBytes(type, parts);
    this.#kernels = kernels;
    this.#parts = parts;
  }

  /** Writes one row from f32[kvLoraRank] and f32[qkRopeHeadDim]. */
  store(rowPtr: number, latentPtr: number, kPePtr: number): void {
    const { kvLoraRank, qkRopeHeadDim } = this.#parts;
    const store = this.#kernels[`storeLatent${KERNEL_SUFFIX[this.type]}`];
    store(rowPtr, latentPtr, kvLoraRank, kPePtr, qkRopeHeadDim);
  }

  /** Reads adjacent rows as f32[count, kvLoraRank] and f32[count, qkRopeHeadDim]. */
  load(rowsPtr: number, count: number, latentsPtr: number, kPesPtr: number): void {
    const { kvLoraRank, qkRopeHeadDim } = this.#parts;
    const load = this.#kernels[`loadLatent${KERNEL_SUFFIX[this.type]}`];
    load(latentsPtr, kPesPtr, rowsPtr, count, kvLoraRank, qkRopeHeadDim);
  }

  /** The kernel of absorbed attention over pages of these rows. */
  get attend(): AttendLatent {
    return this.#kernels[`attendLatent${KERNEL_SUFFIX[this.type]}`];
  }
}
