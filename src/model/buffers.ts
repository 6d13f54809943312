/** The moving activations of the forward pass: every buffer with its shape, planned once. */

import {
  absorbScratchBytes,
  activationBytes,
  attendExpandedQueryBytes,
  attendExpandedScratchBytes,
  attendExpandedStateBytes,
  attendLatentScratchBytes,
  PAGE_ROWS,
  sparseScratchBytes,
  tiledScratchBytes,
  unpackedPanelBytes,
} from "../kernels/packed.js";
import { ExpandedTile, LatentShape, ProductShape, SlabShape } from "../kernels/structs.js";
import type { PlmConfig } from "./config.js";

/** Cached positions that expanded attention expands at a time: those of a page. */
export const EXPANDED_TILE: number = PAGE_ROWS;

/** Outputs that are computed at a time. */
export const LOGITS_ROWS = 16;

/** Queries of absorbed attention that are computed at a time. */
export const ABSORBED_ROWS = 16;

/** Addresses of the activations of a batch of `n` rows. */
export interface Buffers {
  /** f32[n, hiddenSize]: the residual stream */
  readonly x: number;
  /** f32[n, hiddenSize]: its normed copy, a block's input; and, in the same place, its output */
  readonly xNorm: number;
  readonly blockOut: number;
  /**
   * activations[n, max(hiddenSize, numHeads * vHeadDim)], [tile, kvLoraRank] or [numHeads,
   * ABSORBED_ROWS, kvLoraRank] in any form; those of prefill begin a tile
   */
  readonly quantized: number;
  /** activations[n, hiddenSize]: the input of compressed kv, if not in the form of the queries' */
  readonly kvQuantized: number;
  /** f32[n, numHeads, qkNopeHeadDim + qkRopeHeadDim] */
  readonly q: number;
  /** f32[n, kvLoraRank + qkRopeHeadDim]: compressed kv and the shared rope key */
  readonly compressedKv: number;
  /** f32[n, numHeads, vHeadDim] */
  readonly attnOut: number;
  /** f32[n, intermediateSize] */
  readonly up: number;
  /** i16 rows[n, intermediateSize] */
  readonly upQuantized: number;
  /** for each phase, u32 counts, then u32[intermediateSize] active neurons, or pairs, of a row */
  readonly active: number;
  /** f32[n]: the pairs' scales */
  readonly activeScales: number;
  /** f32[ABSORBED_ROWS, numHeads, kvLoraRank + qkRopeHeadDim]: absorbed queries */
  readonly absorbedQ: number;
  /** f32[ABSORBED_ROWS, numHeads, kvLoraRank]: attention's output in the latent space */
  readonly latentOut: number;
  /** f32[tile, kvLoraRank], f32[tile, qkRopeHeadDim]: cached rows as floats */
  readonly latents: number;
  readonly kPe: number;
  /** f32[tile, numHeads, qkNopeHeadDim + vHeadDim] */
  readonly kv: number;
  /** queries of expanded attention as integers, by head; not for f32 caches */
  readonly packedQueries: number;
  /** softmax states[numHeads, n] of expanded attention */
  readonly softmaxState: number;
  /** f32[LOGITS_ROWS, vocabSize, padded to 8] */
  readonly logits: number;
  /** f32[contextLength, qkRopeHeadDim]: cos and sin of each position, in pairs */
  readonly ropeTable: number;
  /** each thread's own buffers */
  readonly threads: readonly ThreadBuffers[];
  /** bytes from the first address to the end */
  readonly bytes: number;
}

/** One thread's own buffers. */
export interface ThreadBuffers {
  /** structs for kernels with many parameters */
  readonly productShape: number;
  readonly slabShape: number;
  readonly latentShape: number;
  readonly expandedTile: number;
  /** the kernels' scratch */
  readonly scratch: number;
}

/** Determines the activations' sizes. */
export interface BufferSizes {
  readonly threads: number;
  /** Rows of a batch. */
  readonly rows: number;
  readonly contextLength: number;
}

/** Lays the activations out from `basePtr` on; `bytes` is their total size. */
export function layoutBuffers(config: PlmConfig, sizes: BufferSizes, basePtr: number): Buffers {
  const { hiddenSize, intermediateSize, numAttentionHeads: heads, kvLoraRank } = config;
  const { rows: n, contextLength, threads } = sizes;
  const qkHeadDim = config.qkNopeHeadDim + config.qkRopeHeadDim;
  const cacheDim = kvLoraRank + config.qkRopeHeadDim;
  const vDim = heads * config.vHeadDim;
  const kvDim = heads * (config.qkNopeHeadDim + config.vHeadDim);
  const pad8 = (rows: number): number => Math.ceil(rows / 8) * 8;
  let end = basePtr;
  const bytes = (count: number): number => {
    const ptr = end;
    end = Math.ceil((ptr + count) / 64) * 64;
    return ptr;
  };
  const f32 = (count: number): number => bytes(count * 4);
  const widest = Math.max(hiddenSize, vDim, kvLoraRank);
  const x = f32(n * hiddenSize);
  const xNorm = f32(n * hiddenSize);
  return {
    x,
    xNorm,
    blockOut: xNorm,
    quantized: bytes(
      Math.max(
        activationBytes(n, widest) + activationBytes(1, widest),
        activationBytes(Math.max(EXPANDED_TILE, heads * ABSORBED_ROWS), kvLoraRank),
      ),
    ),
    kvQuantized: bytes(activationBytes(n, hiddenSize) + activationBytes(1, hiddenSize)),
    q: f32(n * pad8(heads * qkHeadDim)),
    compressedKv: f32(n * pad8(cacheDim)),
    attnOut: f32(n * vDim),
    up: f32(n * intermediateSize),
    upQuantized: bytes(activationBytes(n, intermediateSize)),
    active: f32(n + n * intermediateSize),
    activeScales: f32(n),
    absorbedQ: f32(ABSORBED_ROWS * heads * cacheDim),
    latentOut: f32(ABSORBED_ROWS * heads * kvLoraRank),
    latents: f32(EXPANDED_TILE * kvLoraRank),
    kPe: f32(EXPANDED_TILE * config.qkRopeHeadDim),
    kv: f32(EXPANDED_TILE * pad8(kvDim)),
    packedQueries: bytes(attendExpandedQueryBytes(n, heads, qkHeadDim)),
    softmaxState: bytes(attendExpandedStateBytes(n, heads)),
    logits: f32(LOGITS_ROWS * pad8(config.vocabSize)),
    ropeTable: f32(contextLength * config.qkRopeHeadDim),
    threads: Array.from({ length: threads }, () => ({
      productShape: bytes(ProductShape.BYTES),
      slabShape: bytes(SlabShape.BYTES),
      latentShape: bytes(LatentShape.BYTES),
      expandedTile: bytes(ExpandedTile.BYTES),
      scratch: bytes(
        Math.max(
          unpackedPanelBytes(widest),
          absorbScratchBytes(config.qkNopeHeadDim, kvLoraRank),
          sparseScratchBytes(n, hiddenSize),
          tiledScratchBytes(intermediateSize, hiddenSize),
          attendExpandedScratchBytes(config.qkNopeHeadDim, config.qkRopeHeadDim, config.vHeadDim),
          attendLatentScratchBytes(heads, kvLoraRank, config.qkRopeHeadDim),
        ),
      ),
    })),
    bytes: end - basePtr,
  };
}
