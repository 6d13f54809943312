/**
 * Multi-head latent attention of a batch's tokens, in absorbed and in expanded form. Each thread
 * computes its share of the heads.
 */

import { isRelaxed } from "../kernels/kernels.js";
import { i16RowBytes, isFloatType, PACKED_TYPES, packedBytes } from "../kernels/packed.js";
import { ExpandedTile, LatentShape } from "../kernels/structs.js";
import { absorbedKeysPtr, headPtr } from "./absorbed-keys.js";
import type { Segment } from "./batch.js";
import { ABSORBED_ROWS, EXPANDED_TILE } from "./buffers.js";
import type { Linear } from "./linear.js";
import type { ThreadParts } from "./parts.js";
import { type KvBWeight, type LayerWeights, outputStride, type Weight } from "./weights.js";

/** A row of the batch, and where its sequence's cache is. */
interface Query {
  readonly segment: Segment;
  readonly row: number;
}

export class Attention {
  readonly #parts: ThreadParts;
  readonly #linear: Linear;
  readonly #latentShape: LatentShape;
  readonly #expandedTile: ExpandedTile;

  constructor(parts: ThreadParts, linear: Linear) {
    this.#parts = parts;
    this.#linear = linear;
    this.#latentShape = new LatentShape(parts.memory, parts.buffers.latentShape);
    this.#expandedTile = new ExpandedTile(parts.memory, parts.buffers.expandedTile);
  }

  /** attnOut[n, numHeads, vHeadDim] of the batch's queries over their sequences' caches. */
  attend(layer: LayerWeights, index: number, segments: readonly Segment[]): void {
    const queries: Query[] = [];
    let expanded = 0;
    for (const segment of segments) {
      if (segment.form === "expanded") {
        // Others may still finish another segment, whose states are laid out differently.
        if (expanded++ > 0) this.#parts.member.join();
        this.#attendExpanded(layer, index, segment);
      } else for (let i = 0; i < segment.n; i++) queries.push({ segment, row: segment.first + i });
    }
    for (let i = 0; i < queries.length; ) {
      let count = 1;
      const { row } = queries[i];
      while (count < ABSORBED_ROWS && queries[i + count]?.row === row + count) count++;
      this.#attendAbsorbed(layer, index, queries.slice(i, i + count));
      i += count;
    }
  }

  /**
   * Attention in the latent space, for queries of consecutive rows: W_uk is absorbed into the
   * query, W_uv is applied to the result, and the cached rows are used as they are. Each head's
   * weights are read once for all queries.
   */
  #attendAbsorbed(layer: LayerWeights, index: number, queries: readonly Query[]): void {
    const { config, member, memory, buffers, batch, cache } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
    const { kvLoraRank } = config;
    const { q, attnOut, absorbedQ, latentOut, scratch } = buffers;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const cacheDim = kvLoraRank + qkRopeHeadDim;
    const [first, end] = member.share(heads);
    if (first === end) return;
    const floats = new Float32Array(memory.buffer);
    for (let h = first; h < end; h++) {
      queries.forEach(({ row }, i) => {
        const qNope = q + (row * outputStride(layer.qProj) + h * qkHeadDim) * 4;
        const target = absorbedQ + (i * heads + h) * cacheDim * 4;
        this.#absorb(target, layer.kvBProj, h, qNope);
        const qPe = (qNope + qkNopeHeadDim * 4) / 4;
        floats.copyWithin((target + kvLoraRank * 4) / 4, qPe, qPe + qkRopeHeadDim);
      });
    }
    this.#latentShape.write({
      ...{ heads: end - first, latentDim: kvLoraRank, ropeDim: qkRopeHeadDim },
      ...{ scale: 1 / Math.sqrt(qkHeadDim), stride: cache.rowBytes, offset: 0, unscored: 0 },
    });
    queries.forEach(({ segment, row }, i) => {
      const absorbed = absorbedQ + (i * heads + first) * cacheDim * 4;
      const out = latentOut + (i * heads + first) * kvLoraRank * 4;
      const positions = segment.position + (row - segment.first) + 1;
      const pages = batch.layerPages(segment, index);
      cache.attend(out, absorbed, pages, positions, this.#latentShape.ptr, scratch);
    });
    const outPtr = attnOut + queries[0].row * heads * vHeadDim * 4;
    this.#headValues(outPtr, layer.kvBProj, queries.length, first, end);
  }

  /** f32[kvLoraRank] = W_uk[h]^T qNope */
  #absorb(yPtr: number, kvB: KvBWeight, head: number, qNopePtr: number): void {
    const { config, kernels, buffers } = this.#parts;
    const { type, cols } = kvB;
    const { id } = PACKED_TYPES[type];
    const rows = config.qkNopeHeadDim;
    if (isFloatType(type)) {
      kernels.absorbF32(yPtr, headPtr(kvB, config, head), id, qNopePtr, rows, cols);
      return;
    }
    const keys = absorbedKeysPtr(kvB, config, head);
    const planes = this.#linear.matvecForm("Q8") === "S8X2" && isRelaxed(kernels);
    const absorb = planes ? kernels.absorbS8X2 : kernels.absorbI16;
    absorb(yPtr, keys, id, qNopePtr, rows, cols, buffers.scratch);
  }

  /** f32[n, numHeads, vHeadDim]: W_uv[h] applied to the heads' outputs in the latent space */
  #headValues(outPtr: number, kvB: Weight, n: number, first: number, end: number): void {
    const { numAttentionHeads: heads, qkNopeHeadDim, vHeadDim } = this.#parts.config;
    const { latentOut } = this.#parts.buffers;
    const { ptr, type, cols } = kvB;
    const stride = heads * vHeadDim;
    if (!isFloatType(type)) this.#roundLatents(kvB, n, first, end);
    for (let h = first; h < end; h++) {
      const row = h * (qkNopeHeadDim + vHeadDim) + qkNopeHeadDim;
      const values = { ...kvB, ptr: ptr + packedBytes(type, row, cols), rows: vHeadDim };
      const y = outPtr + h * vHeadDim * 4;
      if (!isFloatType(type)) {
        const x = { ptr: this.#roundedLatents(kvB, h), n, phase: "decode", xPtr: 0 } as const;
        const form = this.#linear.matvecForm(type);
        this.#linear.multiplyRows(y, values, { ...x, form }, stride);
        continue;
      }
      for (let i = 0; i < n; i++) {
        const xPtr = latentOut + (i * heads + h) * cols * 4;
        const x = { ptr: 0, n: 1, phase: "decode", form: "F32", xPtr } as const;
        this.#linear.multiplyRows(y + i * stride * 4, values, x, stride);
      }
    }
  }

  /** Rounds the heads' outputs in the latent space, f32[n, numHeads, kvLoraRank], by head. */
  #roundLatents(kvB: Weight, n: number, first: number, end: number): void {
    const { numAttentionHeads: heads } = this.#parts.config;
    const { latentOut } = this.#parts.buffers;
    const { type, cols } = kvB;
    const form = this.#linear.matvecForm(type);
    const rowBytes = i16RowBytes(cols);
    for (let h = first; h < end; h++) {
      const to = this.#roundedLatents(kvB, h);
      for (let i = 0; i < n; i++) {
        const from = latentOut + (i * heads + h) * cols * 4;
        this.#linear.quantizeRows(to + i * rowBytes, from, 1, cols, form);
      }
    }
  }

  /**
   * Address of a head's activations[ABSORBED_ROWS, kvLoraRank]: the same for any number of queries,
   * since other threads may still be at the queries before.
   */
  #roundedLatents({ cols }: Weight, head: number): number {
    return this.#parts.buffers.quantized + head * ABSORBED_ROWS * i16RowBytes(cols);
  }

  /**
   * Attention with keys and values expanded from the latents, a tile of positions at a time, for
   * all n tokens at once.
   */
  #attendExpanded(layer: LayerWeights, index: number, segment: Segment): void {
    const { config, kernels, member, buffers, batch, cache } = this.#parts;
    const { n, position, phase } = segment;
    const { softmaxState, latents, kPe, kv, quantized, scratch } = buffers;
    const { packedQueries: packed } = buffers;
    const isInteger = cache.type !== "f32";
    const { numAttentionHeads, kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
    const q = buffers.q + segment.first * outputStride(layer.qProj) * 4;
    const attnOut = buffers.attnOut + segment.first * numAttentionHeads * vHeadDim * 4;
    const tile = this.#expandedTile;
    const [firstHead, endHead] = member.share(numAttentionHeads);
    tile.write({
      ...{ queries: n, queryPosition: position, heads: numAttentionHeads, firstHead, endHead },
      ...{ nopeDim: qkNopeHeadDim, ropeDim: qkRopeHeadDim, valueDim: vHeadDim },
      ...{ scale: 1 / Math.sqrt(qkNopeHeadDim + qkRopeHeadDim), kPeStride: qkRopeHeadDim },
    });
    if (isInteger) kernels.attendExpandedStartI16(attnOut, softmaxState, packed, q, tile.ptr);
    else kernels.attendExpandedStart(attnOut, softmaxState, tile.ptr);
    const total = position + n;
    for (let first = 0; first < total; first += EXPANDED_TILE) {
      const count = Math.min(EXPANDED_TILE, total - first);
      const [own, end] = this.#linear.share({ first: 0, n: count, phase });
      const [latentsPtr, kPePtr] = [latents + own * kvLoraRank * 4, kPe + own * qkRopeHeadDim * 4];
      const rows = batch.page(segment, index, first / EXPANDED_TILE) + own * cache.rowBytes;
      cache.load(rows, end - own, latentsPtr, kPePtr);
      const positions = [{ first: 0, n: count, phase }];
      const x = this.#linear.quantize(quantized, latents, positions, layer.kvBProj, "attn_kv_b");
      member.join();
      this.#linear.multiply(kv, layer.kvBProj, x); // [count, numHeads, kNope | v]
      member.join();
      tile.moveTo(first, count);
      if (isInteger) {
        kernels.attendExpandedTileI16(attnOut, softmaxState, packed, kv, kPe, tile.ptr, scratch);
      } else kernels.attendExpandedTile(attnOut, softmaxState, q, kv, kPe, tile.ptr, scratch);
      member.join();
    }
    if (isInteger) kernels.attendExpandedFinishI16(attnOut, softmaxState, tile.ptr);
    else kernels.attendExpandedFinish(attnOut, softmaxState, tile.ptr);
  }
}
