/**
 * The latent KV cache: per layer and position one row [latent kvLoraRank | k_pe qkRopeHeadDim], the
 * only thing that attention keeps of a token (8.9 times less than keys and values). Rows are plain
 * and in order, so that appending, truncating and copying stay trivial.
 */
import type { MemoryPlan } from "../kernels/arena.js";
import type { AttendLatent, Kernels } from "../kernels/kernels.js";

/** How cached numbers are held; assembly/attention/cache.ts draws the rows. */
export type CacheType = "i16" | "f32" | "f16" | "q8_0";

/** The cache types; the first is the default. */
export const CACHE_TYPES: readonly CacheType[] = ["i16", "f32", "f16", "q8_0"];

/** The two parts of a row, in values: MLA's latent and its rotated key. */
export interface CacheRow {
  readonly kvLoraRank: number;
  readonly qkRopeHeadDim: number;
}

/** Bytes of one row: one position in one layer. */
export function cacheRowBytes(type: CacheType, row: CacheRow): number {
  const values = row.kvLoraRank + row.qkRopeHeadDim;
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

/** What the names of each type's kernels end in. */
const KERNEL_SUFFIX = { f32: "F32", f16: "F16", i16: "I16", q8_0: "Q8_0" } as const;

/** One sequence's cache: [layer, position] rows in one region. */
export class LatentCache {
  readonly ptr: number;
  readonly type: CacheType;
  readonly rowBytes: number;
  readonly contextLength: number;
  readonly #latentDim: number;
  readonly #ropeDim: number;

  constructor(ptr: number, type: CacheType, config: CacheRow, contextLength: number) {
    this.ptr = ptr;
    this.type = type;
    this.rowBytes = cacheRowBytes(type, config);
    this.contextLength = contextLength;
    this.#latentDim = config.kvLoraRank;
    this.#ropeDim = config.qkRopeHeadDim;
  }

  /** A cache with a place in the plan. */
  static plan(
    plan: MemoryPlan,
    type: CacheType,
    config: CacheRow & { readonly numHiddenLayers: number },
    contextLength: number,
  ): LatentCache {
    const bytes = config.numHiddenLayers * contextLength * cacheRowBytes(type, config);
    return new LatentCache(
      plan.add("cache", `latent cache ${type}`, bytes),
      type,
      config,
      contextLength,
    );
  }

  /** Address of a row. */
  row(layer: number, position: number): number {
    return this.ptr + (layer * this.contextLength + position) * this.rowBytes;
  }

  /** Writes one row from f32[kvLoraRank] and f32[qkRopeHeadDim]. */
  store(kernels: Kernels, rowPtr: number, latentPtr: number, kPePtr: number): void {
    kernels[`storeLatent${KERNEL_SUFFIX[this.type]}`](
      rowPtr,
      latentPtr,
      this.#latentDim,
      kPePtr,
      this.#ropeDim,
    );
  }

  /** Reads rows as f32[count, kvLoraRank] and f32[count, qkRopeHeadDim]. */
  load(
    kernels: Kernels,
    rowsPtr: number,
    count: number,
    latentsPtr: number,
    kPesPtr: number,
  ): void {
    const load = kernels[`loadLatent${KERNEL_SUFFIX[this.type]}`];
    load(latentsPtr, kPesPtr, rowsPtr, count, this.#latentDim, this.#ropeDim);
  }

  /** The kernel of absorbed attention over these rows. */
  attendLatent(kernels: Kernels): AttendLatent {
    return kernels[`attendLatent${KERNEL_SUFFIX[this.type]}`];
  }
}
