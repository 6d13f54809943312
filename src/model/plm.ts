/**
 * PLM's forward pass: pre-norm blocks of multi-head latent attention and a squared-ReLU MLP, step
 * by step as in the paper. Every thread runs it on its share of each step: of the tokens, of a
 * product's rows or of the heads. A join comes before the first read of what other threads wrote.
 * Checks and bookkeeping are the session's.
 */

import type { KernelChoice } from "../kernels/choose-kernels.js";
import { PACKED_TYPES, PAGE_ROWS } from "../kernels/packed.js";
import type { Member } from "../kernels/team.js";
import { packAbsorbedKeys } from "./absorbed-keys.js";
import type { ActivationRecorder } from "./activations.js";
import { type Batch, type Output, phasesOf, type Rows, type Segment } from "./batch.js";
import { LOGITS_ROWS } from "./buffers.js";
import { Linear } from "./linear.js";
import { Attention } from "./mla.js";
import type { ThreadParts } from "./parts.js";
import { Relu2Mlp, type SparsityCount } from "./relu2-mlp.js";
import {
  eachResident,
  type LayerWeights,
  outputStride,
  type PlmWeights,
  type Weight,
  weightBytes,
} from "./weights.js";

/**
 * Receives outputs `first .. first + count` of a batch, which lie at `ptr`, `stride` floats apart.
 */
export type Receive = (first: number, count: number, ptr: number, stride: number) => void;

/** Layers `first` to `end`. */
export interface LayerRun {
  readonly first: number;
  readonly end: number;
}

/** Layers of a pass. */
export interface LayersOfPass extends LayerRun {
  readonly batch: Batch;
}

/** One thread's part of the model. */
export class Plm {
  readonly linear: Linear;
  readonly member: Member;
  /** Records the activations of the next pass's first row. */
  recorder: ActivationRecorder | undefined;
  readonly #parts: ThreadParts;
  readonly #weights: PlmWeights;
  readonly #attention: Attention;
  readonly #mlp: Relu2Mlp;

  constructor(parts: ThreadParts, weights: PlmWeights, choice: KernelChoice) {
    const { productShape: shapePtr, scratch: scratchPtr } = parts.buffers;
    this.#parts = parts;
    this.member = parts.member;
    this.#weights = weights;
    this.linear = new Linear({ ...parts, choice, shapePtr, scratchPtr });
    this.#attention = new Attention(parts, this.linear);
    this.#mlp = new Relu2Mlp(parts, this.linear);
  }

  get sparsity(): SparsityCount {
    return this.#mlp.sparsity;
  }

  /**
   * Evaluates a batch and appends its rows to the cache, layer by layer; the layers of a pass come
   * in one call or, in order, in several. After the last, its outputs are computed some rows at a
   * time, in place, and given to `receive` on the caller's thread.
   */
  evaluate({ batch, first: from, end: to }: LayersOfPass, receive?: Receive): void {
    this.#forward(batch, from, to);
    if (to < this.#weights.layers.length) return;
    const { outputs } = batch;
    for (let first = 0; first < outputs.length; ) {
      const { kind, phase } = outputs[first];
      const isAlike = (output?: Output): boolean => output?.kind === kind && output.phase === phase;
      let end = first + 1;
      while (end < first + LOGITS_ROWS && isAlike(outputs[end])) end++;
      this.#output(outputs.slice(first, end), first, receive);
      first = end;
    }
  }

  /** The residual streams of the batch's tokens, in place, from layer `from` up to `to`. */
  #forward(batch: Batch, from: number, to: number): void {
    const { segments } = batch;
    const parts = phasesOf(batch);
    const { blockOut, attnOut, quantized } = this.#parts.buffers;
    const { member } = this.#parts;
    if (from === 0) this.#embed(parts);
    for (let index = from; index < to; index++) {
      const layer = this.#weights.layers[index];
      // attention
      this.#normalize(layer.inputLayernorm, parts);
      this.#project(layer, parts);
      this.#appendRows(layer, index, segments);
      member.join();
      this.#attention.attend(layer, index, segments);
      member.join();
      const attended = this.linear.quantize(quantized, attnOut, parts, layer.oProj, "attn_output");
      member.join();
      this.linear.multiply(blockOut, layer.oProj, attended);
      member.join();
      this.#addOutput(parts);
      // MLP
      this.#normalize(layer.postAttentionLayernorm, parts);
      this.#mlp.evaluate(layer, parts);
      this.recorder?.record(index, this.#mlp.activeNeurons(parts[0]));
      member.join();
      this.#addOutput(parts);
    }
    member.join();
  }

  /** Outputs of one kind and phase, the first of which has the index `first`. */
  #output(outputs: readonly Output[], first: number, receive?: Receive): void {
    const { config, kernels, member, buffers } = this.#parts;
    const { hiddenSize, rmsNormEps } = config;
    const { x, xNorm, logits, quantized } = buffers;
    const { lmHead, norm } = this.#weights;
    const { length: n } = outputs;
    const [{ kind, phase }] = outputs;
    const rows = { first: 0, n, phase };
    const [own, end] = this.linear.share(rows);
    for (let i = own; i < end; i++) {
      const [to, from] = [xNorm + i * hiddenSize * 4, x + outputs[i].row * hiddenSize * 4];
      kernels.rmsnormF32(to, from, norm.ptr, 1, hiddenSize, rmsNormEps);
    }
    if (kind === "hidden") {
      member.join();
      receive?.(first, n, xNorm, hiddenSize);
      // The others' next norms would overwrite what is received.
      member.join();
      return;
    }
    const normed = this.linear.quantize(quantized, xNorm, [rows], lmHead, "output");
    member.join();
    this.linear.multiply(logits, lmHead, normed);
    member.join();
    // Meanwhile the others may begin with the next norms, but not with its logits.
    receive?.(first, n, logits, outputStride(lmHead));
  }

  /** Packs this thread's share of the keys that decoding absorbs, of layers `first` to `end`. */
  packKeys(first: number, end: number): void {
    packAbsorbedKeys(this.#parts, this.#weights.layers.slice(first, end));
    this.member.join();
  }

  /** Reads this thread's share of all weights in memory once and does nothing with them. */
  readWeights(): void {
    const { kernels, member } = this.#parts;
    for (const weight of eachResident(this.#weights)) {
      const [first, end] = member.share(Math.floor(weightBytes(weight) / 64));
      kernels.readBytes(weight.ptr + first * 64, (end - first) * 64);
    }
    member.join();
  }

  /** x = embeddings; f32[n, hiddenSize] */
  #embed(parts: readonly Rows[]): void {
    const { kernels, buffers, batch } = this.#parts;
    const { ptr, type, cols } = this.#weights.embedTokens;
    const { tokens } = batch;
    const { id } = PACKED_TYPES[type];
    for (const rows of parts) {
      const [first, end] = this.linear.share(rows);
      for (let i = first; i < end; i++) {
        const xPtr = buffers.x + i * cols * 4;
        kernels.dequantizeRow(xPtr, ptr, id, tokens[i], cols, buffers.scratch);
      }
    }
  }

  /** xNorm = RMSNorm(x) */
  #normalize(norm: Weight, parts: readonly Rows[]): void {
    const { config, kernels, buffers } = this.#parts;
    const { hiddenSize, rmsNormEps } = config;
    for (const rows of parts) {
      const [first, end] = this.linear.share(rows);
      const offset = first * hiddenSize * 4;
      const [to, from] = [buffers.xNorm + offset, buffers.x + offset];
      kernels.rmsnormF32(to, from, norm.ptr, end - first, hiddenSize, rmsNormEps);
    }
  }

  /** x += blockOut */
  #addOutput(parts: readonly Rows[]): void {
    const { config, kernels, buffers } = this.#parts;
    const { hiddenSize } = config;
    for (const rows of parts) {
      const [first, end] = this.linear.share(rows);
      const offset = first * hiddenSize * 4;
      kernels.addF32(buffers.x + offset, buffers.blockOut + offset, (end - first) * hiddenSize);
    }
  }

  /** Queries, compressed kv and the shared rope key of the tokens. */
  #project({ qProj, kvAProjWithMqa }: LayerWeights, parts: readonly Rows[]): void {
    const { member, buffers } = this.#parts;
    const { xNorm, q, compressedKv, quantized, kvQuantized } = buffers;
    const toQ = this.linear.quantize(quantized, xNorm, parts, qProj, "attn_q");
    const kvA = kvAProjWithMqa;
    const toKv = this.linear.quantize(kvQuantized, xNorm, parts, kvA, "attn_kv_a_mqa", toQ);
    member.join();
    this.linear.multiply(q, qProj, toQ); // [n, numHeads, qNope | qPe]
    this.linear.multiply(compressedKv, kvA, toKv); // [n, latent | kPe]
    member.join();
  }

  /** Rotates queries and keys, and stores the keys and latents in their sequences' caches. */
  #appendRows(layer: LayerWeights, index: number, segments: readonly Segment[]): void {
    const { config, kernels, member, buffers, batch, cache } = this.#parts;
    const { numAttentionHeads, kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, rmsNormEps } = config;
    const { q, compressedKv, ropeTable } = buffers;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const last = segments[segments.length - 1];
    const [ownFirst, ownEnd] = member.share(last.first + last.n);
    for (const segment of segments) {
      const end = Math.min(ownEnd, segment.first + segment.n);
      for (let row = Math.max(ownFirst, segment.first); row < end; row++) {
        const position = segment.position + (row - segment.first);
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
  }
}
