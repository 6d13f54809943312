/**
 * PLM's forward pass: pre-norm blocks of multi-head latent attention and a squared-ReLU MLP, step
 * by step as in the paper. Every thread runs it on its share of each step: of the tokens, of a
 * product's rows or of the heads. A join comes before the first read of what other threads wrote.
 * Checks and bookkeeping are the session's.
 */

import type { KernelChoice } from "../kernels/choose-kernels.js";
import {
  i16RowBytes,
  isFloatType,
  MOST_PAIRED_NEURONS,
  PACKED_TYPES,
  PAGE_ROWS,
} from "../kernels/packed.js";
import { SlabShape } from "../kernels/structs.js";
import type { Member } from "../kernels/team.js";
import { packAbsorbedKeys } from "./absorbed-keys.js";
import type { Batch, Outputs, Segment } from "./batch.js";
import { LOGITS_ROWS } from "./buffers.js";
import { Linear, type Tokens } from "./linear.js";
import { Attention } from "./mla.js";
import type { ThreadParts } from "./parts.js";
import {
  eachWeight,
  type LayerWeights,
  outputStride,
  type PlmWeights,
  type Weight,
  weightBytes,
} from "./weights.js";

/** Squared-ReLU activations since the start, and how many of them were not zero. */
export interface SparsityCount {
  activations: number;
  nonZero: number;
}

/** All tokens of a batch; those of its segments are in the same phase. */
function tokensOf({ segments }: Batch): Tokens {
  const last = segments[segments.length - 1];
  return { n: last.first + last.n, phase: last.phase };
}

/** One thread's part of the model. */
export class Plm {
  readonly sparsity: SparsityCount = { activations: 0, nonZero: 0 };
  readonly linear: Linear;
  readonly member: Member;
  readonly #parts: ThreadParts;
  readonly #weights: PlmWeights;
  readonly #attention: Attention;
  readonly #slabShape: SlabShape;

  constructor(parts: ThreadParts, weights: PlmWeights, choice: KernelChoice) {
    const { productShape: shapePtr, slabShape, scratch: scratchPtr } = parts.buffers;
    this.#parts = parts;
    this.member = parts.member;
    this.#weights = weights;
    this.linear = new Linear({ ...parts, choice, shapePtr, scratchPtr });
    this.#attention = new Attention(parts, this.linear);
    this.#slabShape = new SlabShape(parts.memory, slabShape);
  }

  /**
   * Evaluates a batch and appends its rows to the cache. Its outputs are computed some rows at a
   * time, in place; `receive`, on the caller's thread, is given the first of these rows and their
   * number. With fewer `layers` the result is only good for timing.
   */
  evaluate(batch: Batch, layers: number, receive?: (first: number, count: number) => void): void {
    this.#forward(batch, layers);
    const { outputs } = batch;
    const { length } = outputs.rows;
    // Other threads continue during `receive`: they leave the logits alone, but not xNorm.
    const most = outputs.kind === "logits" ? LOGITS_ROWS : length;
    for (let first = 0; first < length; first += most) {
      const count = Math.min(most, length - first);
      this.#output(outputs, first, count);
      receive?.(first, count);
    }
  }

  /** The residual streams of the batch's tokens, in place. */
  #forward(batch: Batch, layers: number): void {
    const tokens = tokensOf(batch);
    const { n } = tokens;
    const { blockOut, attnOut, quantized } = this.#parts.buffers;
    const { member } = this.#parts;
    this.#embed(n);
    this.#weights.layers.slice(0, layers).forEach((layer, index) => {
      // attention
      this.#normalize(layer.inputLayernorm, n);
      this.#project(layer, tokens);
      for (const segment of batch.segments) this.#appendRows(layer, index, segment);
      member.join();
      for (const segment of batch.segments) this.#attention.attend(layer, index, segment);
      member.join();
      const attended = this.linear.quantize(quantized, attnOut, tokens, layer.oProj, "attn_output");
      member.join();
      this.linear.multiply(blockOut, layer.oProj, attended);
      member.join();
      this.#addOutput(n);
      // MLP
      this.#normalize(layer.postAttentionLayernorm, n);
      this.#mlp(layer, tokens);
      member.join();
      this.#addOutput(n);
    });
    member.join();
  }

  /** `count` of the outputs from `first` on: xNorm and, if requested, logits. */
  #output({ kind, phase, rows }: Outputs, first: number, count: number): void {
    const { config, kernels, member, buffers } = this.#parts;
    const { hiddenSize, rmsNormEps } = config;
    const { x, xNorm, logits, quantized } = buffers;
    const { lmHead, norm } = this.#weights;
    const [own, end] = member.share(count, 4);
    for (let i = own; i < end; i++) {
      const [to, from] = [xNorm + i * hiddenSize * 4, x + rows[first + i] * hiddenSize * 4];
      kernels.rmsnormF32(to, from, norm.ptr, 1, hiddenSize, rmsNormEps);
    }
    if (kind === "logits") {
      const normed = this.linear.quantize(quantized, xNorm, { n: count, phase }, lmHead, "output");
      member.join();
      this.linear.multiply(logits, lmHead, normed);
    }
    member.join();
  }

  /** Packs this thread's share of the keys that decoding absorbs. */
  packKeys(): void {
    packAbsorbedKeys(this.#parts, this.#weights.layers);
    this.member.join();
  }

  /** Reads this thread's share of all weights once and does nothing with them. */
  readWeights(): void {
    const { kernels, member } = this.#parts;
    for (const weight of eachWeight(this.#weights)) {
      const [first, end] = member.share(Math.floor(weightBytes(weight) / 64));
      kernels.readBytes(weight.ptr + first * 64, (end - first) * 64);
    }
    member.join();
  }

  /** x = embeddings; f32[n, hiddenSize] */
  #embed(n: number): void {
    const { kernels, member, buffers, batch } = this.#parts;
    const { ptr, type, cols } = this.#weights.embedTokens;
    const { tokens } = batch;
    const [first, end] = member.share(n, 4);
    for (let i = first; i < end; i++) {
      const xPtr = buffers.x + i * cols * 4;
      const { id } = PACKED_TYPES[type];
      kernels.dequantizeRow(xPtr, ptr, id, tokens[i], cols, buffers.scratch);
    }
  }

  /** xNorm = RMSNorm(x) */
  #normalize(norm: Weight, n: number): void {
    const { config, kernels, member, buffers } = this.#parts;
    const { hiddenSize, rmsNormEps } = config;
    const [first, end] = member.share(n, 4);
    const offset = first * hiddenSize * 4;
    const [to, from] = [buffers.xNorm + offset, buffers.x + offset];
    kernels.rmsnormF32(to, from, norm.ptr, end - first, hiddenSize, rmsNormEps);
  }

  /** x += blockOut */
  #addOutput(n: number): void {
    const { config, kernels, member, buffers } = this.#parts;
    const { hiddenSize } = config;
    const [first, end] = member.share(n, 4);
    const offset = first * hiddenSize * 4;
    kernels.addF32(buffers.x + offset, buffers.blockOut + offset, (end - first) * hiddenSize);
  }

  /** Queries, compressed kv and the shared rope key of the tokens. */
  #project({ qProj, kvAProjWithMqa }: LayerWeights, tokens: Tokens): void {
    const { member, buffers } = this.#parts;
    const { xNorm, q, compressedKv, quantized, kvQuantized } = buffers;
    const toQ = this.linear.quantize(quantized, xNorm, tokens, qProj, "attn_q");
    const kvA = kvAProjWithMqa;
    const toKv = this.linear.quantize(kvQuantized, xNorm, tokens, kvA, "attn_kv_a_mqa", toQ);
    member.join();
    this.linear.multiply(q, qProj, toQ); // [n, numHeads, qNope | qPe]
    this.linear.multiply(compressedKv, kvA, toKv); // [n, latent | kPe]
    member.join();
  }

  /** Rotates a segment's queries and keys, and stores the keys and latents in the cache. */
  #appendRows(layer: LayerWeights, index: number, segment: Segment): void {
    const { config, kernels, member, buffers, batch, cache } = this.#parts;
    const { numAttentionHeads, kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, rmsNormEps } = config;
    const { q, compressedKv, ropeTable } = buffers;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const [first, end] = member.share(segment.n, 4);
    for (let i = first; i < end; i++) {
      const [row, position] = [segment.first + i, segment.position + i];
      const table = ropeTable + position * qkRopeHeadDim * 4;
      const latent = compressedKv + row * outputStride(layer.kvAProjWithMqa) * 4;
      const kPe = latent + kvLoraRank * 4;
      const qPe = q + (row * outputStride(layer.qProj) + qkNopeHeadDim) * 4;
      kernels.rmsnormF32(latent, latent, layer.kvALayernorm.ptr, 1, kvLoraRank, rmsNormEps);
      kernels.ropeF32(kPe, table, 1, qkRopeHeadDim, qkRopeHeadDim);
      kernels.ropeF32(qPe, table, numAttentionHeads, qkHeadDim, qkRopeHeadDim);
      const page = batch.page(segment, index, Math.floor(position / PAGE_ROWS));
      cache.store(page + (position % PAGE_ROWS) * cache.rowBytes, latent, kPe);
    }
  }

  /** blockOut = W_down relu2(W_up xNorm), reading only the down-projection's active neurons */
  #mlp({ upProj, downProj }: LayerWeights, tokens: Tokens): void {
    const { n } = tokens;
    const { config, kernels, member, memory, buffers } = this.#parts;
    const { intermediateSize } = config;
    const { xNorm, blockOut, up, active, activeScales, quantized } = buffers;
    const normed = this.linear.quantize(quantized, xNorm, tokens, upProj, "ffn_up");
    member.join();
    this.linear.multiply(up, upProj, normed);
    member.join();
    const tiled = this.#isTiled(tokens, downProj);
    const counts = new Uint32Array(memory.buffer, active, n);
    const scales = new Float32Array(memory.buffer, activeScales, n);
    const [first, end] = member.share(n, 4);
    for (let i = first; i < end; i++) {
      const list = active + (n + i * intermediateSize) * 4;
      const relu2 = up + i * intermediateSize * 4;
      counts[i] = kernels.relu2ActiveF32(relu2, intermediateSize, list);
      if (tiled) scales[i] = kernels.pairActiveF32(list, counts[i], relu2);
    }
    if (!tiled) this.#quantizeRelu2(n, downProj);
    member.join();
    for (let i = 0; i < n; i++) this.sparsity.nonZero += counts[i];
    this.sparsity.activations += n * intermediateSize;
    this.#down(blockOut, downProj, n, tiled);
  }

  /** Whether the down-projection rounds weights and activations to tiles of 13 bits. */
  #isTiled({ phase }: Tokens, { type, cols }: Weight): boolean {
    if (isFloatType(type) || this.linear.precision === "exact") return false;
    return phase === "prefill" && cols <= MOST_PAIRED_NEURONS;
  }

  /** upQuantized = the activations of the down-projection as i16 */
  #quantizeRelu2(n: number, { type, cols }: Weight): void {
    const { member, buffers } = this.#parts;
    if (isFloatType(type)) return;
    const [first, end] = member.share(n, 4);
    const to = buffers.upQuantized + first * i16RowBytes(cols);
    this.linear.quantizeRows(to, buffers.up + first * cols * 4, end - first, cols, "I16");
  }

  /** Y = X W^T of active neurons only */
  #down(yPtr: number, { ptr, type, rows, cols }: Weight, n: number, tiled: boolean): void {
    const { kernels, member, buffers } = this.#parts;
    const { up, upQuantized, active, activeScales, scratch } = buffers;
    const { id } = PACKED_TYPES[type];
    const shape = this.#slabShape.ptr;
    member.divide(rows, 64, n > 1, (first, end) => {
      this.#slabShape.write({ neurons: cols, outputs: rows, first, end });
      if (isFloatType(type)) kernels.sparseMatmulF32(yPtr, ptr, id, up, active, n, shape);
      else if (!tiled) {
        kernels.sparseMatmulI16(yPtr, ptr, id, upQuantized, active, n, shape, scratch);
      } else {
        kernels.sparseMatmulTiles(yPtr, ptr, id, active, activeScales, n, shape, scratch);
      }
    });
  }
}
