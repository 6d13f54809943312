/**
 * PLM's forward pass: pre-norm blocks of multi-head latent attention and a squared-ReLU MLP, step
 * by step as in the paper. Computes; checks and bookkeeping are the session's.
 */
import type { Kernels } from "../kernels/kernels.js";
import {
  i16RowBytes,
  isFloatType,
  PACKED_TYPES,
  type PackedTypeName,
  packedBytes,
} from "../kernels/packed.js";
import { type AttentionForm, chooseAttention } from "./attention-form.js";
import { type Buffers, EXPANDED_TILE } from "./buffers.js";
import type { LatentCache } from "./cache.js";
import type { PlmConfig } from "./config.js";
import {
  eachWeight,
  type LayerWeights,
  outputStride,
  type PlmWeights,
  type Weight,
  weightBytes,
} from "./weights.js";

/** What the squared ReLU left over, counted since the start: their ratio is the zero share. */
export interface SparsityCount {
  activations: number;
  nonZero: number;
}

/** The tokens that one forward pass takes in. */
interface Span {
  /** How many. */
  readonly n: number;
  /** The position of the first. */
  readonly position: number;
  readonly cache: LatentCache;
}

/** The model in one wasm memory. */
export class Plm {
  readonly config: PlmConfig;
  readonly weights: PlmWeights;
  readonly sparsity: SparsityCount = { activations: 0, nonZero: 0 };
  readonly #kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  readonly #buffers: Buffers;

  constructor(
    config: PlmConfig,
    weights: PlmWeights,
    kernels: Kernels,
    memory: WebAssembly.Memory,
    buffers: Buffers,
  ) {
    this.config = config;
    this.weights = weights;
    this.#kernels = kernels;
    this.#memory = memory;
    this.#buffers = buffers;
  }

  /**
   * Runs `tokens` (at most batchSize) at positions `position`.. and appends their rows to the
   * cache. Their residual streams stay in place for `logits`.
   */
  forward(
    tokens: ArrayLike<number>,
    position: number,
    cache: LatentCache,
    form: AttentionForm,
  ): void {
    const { config, weights } = this;
    const { hiddenSize, rmsNormEps } = config;
    const { x, xNorm } = this.#buffers;
    const n = tokens.length;
    const span = { n, position, cache };
    const expanded = chooseAttention(form, config, n, position) === "expanded";

    for (let i = 0; i < n; i++) this.#embed(x + i * hiddenSize * 4, tokens[i]);
    weights.layers.forEach((layer, index) => {
      // attention
      this.#kernels.rmsnormF32(xNorm, x, layer.inputLayernorm.ptr, n, hiddenSize, rmsNormEps);
      this.#project(layer, index, span);
      if (expanded) this.#attendExpanded(layer, index, span);
      else this.#attendAbsorbed(layer, index, span);
      this.#linear(xNorm, layer.oProj, this.#buffers.attnOut, n);
      this.#kernels.addF32(x, xNorm, n * hiddenSize);
      // MLP
      const { postAttentionLayernorm } = layer;
      this.#kernels.rmsnormF32(xNorm, x, postAttentionLayernorm.ptr, n, hiddenSize, rmsNormEps);
      this.#mlp(layer, n);
      this.#kernels.addF32(x, xNorm, n * hiddenSize);
    });
  }

  /** Reads all weights once and does nothing with them; the bytes read. */
  readWeights(): number {
    let total = 0;
    for (const weight of eachWeight(this.weights)) {
      const bytes = Math.floor(weightBytes(weight) / 64) * 64;
      this.#kernels.readBytes(weight.ptr, bytes);
      total += bytes;
    }
    return total;
  }

  /**
   * Writes the logits of some of the tokens that forward ran, from the `first` on, to `out`:
   * f32[count, vocabSize], count at most LOGITS_ROWS.
   */
  logits(first: number, out: Float32Array): void {
    const { hiddenSize, vocabSize, rmsNormEps } = this.config;
    const count = out.length / vocabSize;
    const { lmHead, norm } = this.weights;
    const { x, xNorm, logits } = this.#buffers;
    this.#kernels.rmsnormF32(
      xNorm,
      x + first * hiddenSize * 4,
      norm.ptr,
      count,
      hiddenSize,
      rmsNormEps,
    );
    this.#linear(logits, lmHead, xNorm, count);
    const stride = outputStride(lmHead);
    for (let i = 0; i < count; i++) {
      const row = new Float32Array(this.#memory.buffer, logits + i * stride * 4, vocabSize);
      out.set(row, i * vocabSize);
    }
  }

  /** x = embedding of a token; f32[hiddenSize] */
  #embed(xPtr: number, token: number): void {
    const { ptr, type, cols } = this.weights.embedTokens;
    const { scratch } = this.#buffers;
    this.#kernels.dequantizeRow(xPtr, ptr, PACKED_TYPES[type].id, token, cols, scratch);
  }

  /** Y = X W^T; y f32[n, rows], x f32[n, cols]. Packed weights take x as 16-bit integers. */
  #linear(yPtr: number, weight: Weight, xPtr: number, n: number): void {
    const { quantized, scratch } = this.#buffers;
    const { ptr, type, rows, cols } = weight;
    const { id } = PACKED_TYPES[type];
    if (isFloatType(type)) {
      this.#kernels.matmulF32(yPtr, ptr, id, xPtr, n, rows, cols);
      return;
    }
    this.#kernels.quantizeI16(quantized, xPtr, n, cols);
    const outputs = outputStride(weight);
    if (n === 1) this.#matvec(yPtr, type, ptr, quantized, outputs, cols);
    else this.#kernels.matmulI16(yPtr, ptr, id, quantized, n, outputs, cols, scratch);
  }

  /** y = W x for one token, x as 16-bit integers */
  #matvec(
    yPtr: number,
    type: PackedTypeName,
    wPtr: number,
    xPtr: number,
    rows: number,
    cols: number,
  ): void {
    const { id } = PACKED_TYPES[type];
    if (type === "Q8") this.#kernels.matvecQ8(yPtr, wPtr, xPtr, rows, cols);
    else if (type === "Q4" || type === "Q4M" || type === "Q4K") {
      this.#kernels.matvecQ4(yPtr, wPtr, id, xPtr, rows, cols);
    } else this.#kernels.matmulI16(yPtr, wPtr, id, xPtr, 1, rows, cols, this.#buffers.scratch);
  }

  /** Queries, compressed kv and the shared rope key of n tokens; the latter two go to the cache. */
  #project(layer: LayerWeights, index: number, { n, position, cache }: Span): void {
    const { config } = this;
    const { numAttentionHeads, kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, rmsNormEps } = config;
    const { xNorm, q, compressedKv, ropeTable } = this.#buffers;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    this.#linear(q, layer.qProj, xNorm, n); // [n, numHeads, qNope | qPe]
    this.#linear(compressedKv, layer.kvAProjWithMqa, xNorm, n); // [n, latent | kPe]
    for (let i = 0; i < n; i++) {
      const table = ropeTable + (position + i) * qkRopeHeadDim * 4;
      const latent = compressedKv + i * outputStride(layer.kvAProjWithMqa) * 4;
      const kPe = latent + kvLoraRank * 4;
      const qPe = q + (i * outputStride(layer.qProj) + qkNopeHeadDim) * 4;
      this.#kernels.rmsnormF32(latent, latent, layer.kvALayernorm.ptr, 1, kvLoraRank, rmsNormEps);
      this.#kernels.ropeF32(kPe, table, 1, qkRopeHeadDim, qkRopeHeadDim);
      this.#kernels.ropeF32(qPe, table, numAttentionHeads, qkHeadDim, qkRopeHeadDim);
      const row = cache.row(index, position + i);
      cache.store(this.#kernels, row, latent, kPe);
    }
  }

  /**
   * Attention in the latent space: W_uk is absorbed into the query, W_uv applied to the result, and
   * the cached rows are used as they are. Token by token, each over itself and what came before.
   */
  #attendAbsorbed(layer: LayerWeights, index: number, { n, position, cache }: Span): void {
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = this.config;
    const { kvLoraRank } = this.config;
    const { q, attnOut, absorbedQ, latentOut, shape, scratch } = this.#buffers;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const cacheDim = kvLoraRank + qkRopeHeadDim;
    const floats = new Float32Array(this.#memory.buffer);
    const attendLatent = cache.attendLatent(this.#kernels);
    new Int32Array(this.#memory.buffer, shape, 3).set([heads, kvLoraRank, qkRopeHeadDim]);
    floats[shape / 4 + 3] = 1 / Math.sqrt(qkHeadDim);
    for (let i = 0; i < n; i++) {
      for (let h = 0; h < heads; h++) {
        const qNope = q + (i * outputStride(layer.qProj) + h * qkHeadDim) * 4;
        const absorbed = absorbedQ + h * cacheDim * 4;
        this.#absorb(absorbed, layer.kvBProj, h, qNope);
        const qPe = (qNope + qkNopeHeadDim * 4) / 4;
        floats.copyWithin((absorbed + kvLoraRank * 4) / 4, qPe, qPe + qkRopeHeadDim);
      }
      const rows = cache.row(index, 0);
      attendLatent(latentOut, absorbedQ, rows, position + i + 1, shape, scratch);
      this.#headValues(attnOut + i * heads * vHeadDim * 4, layer.kvBProj);
    }
  }

  /** f32[kvLoraRank] = W_uk[h]^T qNope */
  #absorb(yPtr: number, kvB: Weight, head: number, qNopePtr: number): void {
    const { qkNopeHeadDim, vHeadDim } = this.config;
    const { id } = PACKED_TYPES[kvB.type];
    const w = kvB.ptr + packedBytes(kvB.type, head * (qkNopeHeadDim + vHeadDim), kvB.cols);
    const { scratch } = this.#buffers;
    this.#kernels.matvecTransposed(yPtr, w, id, qNopePtr, qkNopeHeadDim, kvB.cols, scratch);
  }

  /** f32[numHeads, vHeadDim]: W_uv[h] applied to each head's output in the latent space */
  #headValues(outPtr: number, { ptr, type, cols }: Weight): void {
    const { numAttentionHeads: heads, qkNopeHeadDim, vHeadDim } = this.config;
    const { latentOut, quantized } = this.#buffers;
    const { id } = PACKED_TYPES[type];
    const isFloat = isFloatType(type);
    if (!isFloat) this.#kernels.quantizeI16(quantized, latentOut, heads, cols);
    for (let h = 0; h < heads; h++) {
      const out = outPtr + h * vHeadDim * 4;
      const first = h * (qkNopeHeadDim + vHeadDim) + qkNopeHeadDim;
      const w = ptr + packedBytes(type, first, cols);
      if (isFloat) {
        this.#kernels.matmulF32(out, w, id, latentOut + h * cols * 4, 1, vHeadDim, cols);
        continue;
      }
      this.#matvec(out, type, w, quantized + h * i16RowBytes(cols), vHeadDim, cols);
    }
  }

  /**
   * Attention with keys and values expanded from the latents, a tile of positions at a time, for
   * all n tokens at once.
   */
  #attendExpanded(layer: LayerWeights, index: number, { n, position, cache }: Span): void {
    const { attnOut, softmaxState, q, latents, kPe, kv, shape, scratch } = this.#buffers;
    const { numAttentionHeads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = this.config;
    const tile = new Int32Array(this.#memory.buffer, shape, 10);
    tile.set([n, numAttentionHeads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim]);
    const scale = 1 / Math.sqrt(qkNopeHeadDim + qkRopeHeadDim);
    new Float32Array(this.#memory.buffer, shape, 10)[5] = scale;
    this.#kernels.attendExpandedStart(attnOut, softmaxState, shape);
    const total = position + n;
    for (let first = 0; first < total; first += EXPANDED_TILE) {
      const count = Math.min(EXPANDED_TILE, total - first);
      cache.load(this.#kernels, cache.row(index, first), count, latents, kPe);
      this.#linear(kv, layer.kvBProj, latents, count); // [count, numHeads, kNope | v]
      tile.set([position, first, count, qkRopeHeadDim], 6);
      this.#kernels.attendExpandedTile(attnOut, softmaxState, q, kv, kPe, shape, scratch);
    }
    this.#kernels.attendExpandedFinish(attnOut, softmaxState, shape);
  }

  /** xNorm = W_down relu2(W_up xNorm), reading only the down-projection's active neurons */
  #mlp({ upProj, downProj }: LayerWeights, n: number): void {
    const { hiddenSize, intermediateSize } = this.config;
    const { xNorm, up, upQuantized, active, shape, scratch } = this.#buffers;
    this.#linear(up, upProj, xNorm, n);
    const counts = new Uint32Array(this.#memory.buffer, active, n);
    const lists = active + n * 4;
    for (let i = 0; i < n; i++) {
      const list = lists + i * intermediateSize * 4;
      counts[i] = this.#kernels.relu2ActiveF32(
        up + i * intermediateSize * 4,
        intermediateSize,
        list,
      );
      this.sparsity.nonZero += counts[i];
    }
    this.sparsity.activations += n * intermediateSize;
    const { ptr, type } = downProj;
    const { id } = PACKED_TYPES[type];
    new Int32Array(this.#memory.buffer, shape, 2).set([intermediateSize, hiddenSize]);
    if (isFloatType(type)) {
      this.#kernels.sparseMatmulF32(xNorm, ptr, id, up, active, n, shape);
      return;
    }
    this.#kernels.quantizeI16(upQuantized, up, n, intermediateSize);
    this.#kernels.sparseMatmulI16(xNorm, ptr, id, upQuantized, active, n, shape, scratch);
  }
}
