/**
 * PLM's forward pass in training: that of src/model/plm.ts in f32, attention in expanded form, and
 * all that the backward pass needs of it kept. A thread computes whole sequences and waits for
 * nobody.
 */
import type { LayerParameters, Parameter } from "./parameters.js";
import { ATTEND_SHAPE_OFFSET, type TrainingParts } from "./parts.js";
import type { LayerBuffers } from "./plan.js";
import { Products } from "./products.js";

/** The tokens of a thread. */
export interface TokenRange {
  readonly first: number;
  readonly end: number;
}

/** This thread's whole sequences. */
export function ownTokens({ member, sizes }: TrainingParts): TokenRange {
  const { tokens, contextLength } = sizes;
  const [first, end] = member.share(tokens, contextLength);
  return { first, end };
}

export class Forward {
  readonly #parts: TrainingParts;
  readonly #products: Products;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#products = new Products(parts);
  }

  /** xOut and xOutNorm of this thread's tokens; counts what the squared ReLU leaves. */
  run(): void {
    const { config, buffers, kernels, memory, parameters, member } = this.#parts;
    const { hiddenSize } = config;
    const { first, end } = ownTokens(this.#parts);
    const n = end - first;
    const { length } = parameters.layers;
    const counts = new Uint32Array(
      memory.buffer,
      buffers.nonZero + member.index * length * 4,
      length,
    );
    counts.fill(0);
    if (n === 0) return;
    const xPtr = buffers.layers[0].x + first * hiddenSize * 4;
    const table = buffers.values + parameters.embedTokens.offset * 4;
    kernels.gatherRows(xPtr, table, buffers.ids + first * 4, n, hiddenSize);
    parameters.layers.forEach((layer, i) => {
      const kept = buffers.layers[i];
      const next = buffers.layers[i + 1]?.x ?? buffers.xOut;
      this.#attention(layer, kept, first, n);
      counts[i] = this.#mlp(layer, kept, next, [first, n]);
    });
    this.#normalize(buffers.xOutNorm, buffers.xOut, parameters.norm, [first, n]);
  }

  /** y = RMSNorm(x) of n tokens from the first on */
  #normalize(
    yPtr: number,
    xPtr: number,
    norm: Parameter,
    [first, n]: readonly [number, number],
  ): void {
    const { config, buffers, kernels } = this.#parts;
    const offset = first * norm.cols * 4;
    const gainPtr = buffers.values + norm.offset * 4;
    kernels.rmsnormF32(yPtr + offset, xPtr + offset, gainPtr, n, norm.cols, config.rmsNormEps);
  }

  /** xMid = x + W_o attention(RMSNorm(x)) */
  #attention(layer: LayerParameters, kept: LayerBuffers, first: number, n: number): void {
    const { config, kernels } = this.#parts;
    const { hiddenSize, numAttentionHeads: heads, kvLoraRank, qkNopeHeadDim } = config;
    const { qkRopeHeadDim, vHeadDim } = config;
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    const [qDim, kvDim] = [
      heads * (qkNopeHeadDim + qkRopeHeadDim),
      heads * (qkNopeHeadDim + vHeadDim),
    ];
    this.#normalize(kept.xNorm, kept.x, layer.inputLayernorm, [first, n]);
    const xNorm = at(kept.xNorm, hiddenSize);
    const kvA = layer.kvAProjWithMqa;
    this.#products.forward(at(kept.q, qDim), xNorm, layer.qProj, n);
    const [latent, kPe] = [
      { first: 0, end: kvLoraRank },
      { first: kvLoraRank, end: kvA.rows },
    ];
    this.#products.forward(at(kept.latent, kvLoraRank), xNorm, kvA, n, latent);
    this.#products.forward(at(kept.kPe, qkRopeHeadDim), xNorm, kvA, n, kPe);
    this.#normalize(kept.latentNorm, kept.latent, layer.kvALayernorm, [first, n]);
    const latentNorm = at(kept.latentNorm, kvLoraRank);
    this.#products.forward(at(kept.kv, kvDim), latentNorm, layer.kvBProj, n);
    this.#rotate(kept, first, n);
    this.#attend(kept, first, n);
    const xMid = at(kept.xMid, hiddenSize);
    this.#products.forward(xMid, at(kept.attnOut, heads * vHeadDim), layer.oProj, n);
    kernels.addF32(xMid, at(kept.x, hiddenSize), n * hiddenSize);
  }

  /** Rotates the queries' rope parts and the shared keys, each by its position in its document. */
  #rotate({ q, kPe }: LayerBuffers, first: number, n: number): void {
    const { config, buffers, kernels, memory } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim } = config;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const positions = new Uint32Array(memory.buffer, buffers.positions + first * 4, n);
    for (let i = 0; i < n; i++) {
      const table = buffers.ropeTable + positions[i] * qkRopeHeadDim * 4;
      const qPe = q + ((first + i) * heads * qkHeadDim + qkNopeHeadDim) * 4;
      kernels.ropeF32(qPe, table, heads, qkHeadDim, qkRopeHeadDim);
      const kPePtr = kPe + (first + i) * qkRopeHeadDim * 4;
      kernels.ropeF32(kPePtr, table, 1, qkRopeHeadDim, qkRopeHeadDim);
    }
  }

  /** attnOut, sequence by sequence and head by head */
  #attend(kept: LayerBuffers, first: number, n: number): void {
    const { config, buffers, kernels, scratchPtr, sizes } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
    const { contextLength } = sizes;
    const shape = writeAttendShape(this.#parts);
    for (let t = first; t < first + n; t += contextLength) {
      const at = (ptr: number, width: number): number => ptr + t * width * 4;
      const out = at(kept.attnOut, heads * vHeadDim);
      const q = at(kept.q, heads * (qkNopeHeadDim + qkRopeHeadDim));
      const kv = at(kept.kv, heads * (qkNopeHeadDim + vHeadDim));
      const kPe = at(kept.kPe, qkRopeHeadDim);
      const [lse, starts] = [at(kept.logSumExp, heads), at(buffers.starts, 1)];
      for (let head = 0; head < heads; head++) {
        kernels.attend(out, lse, q, kv, kPe, starts, shape, head, scratchPtr);
      }
    }
  }

  /** next = xMid + W_down relu2(W_up RMSNorm(xMid)); returns how many activations are not zero */
  #mlp(
    { postAttentionLayernorm, upProj, downProj }: LayerParameters,
    kept: LayerBuffers,
    next: number,
    [first, n]: readonly [number, number],
  ): number {
    const { config, buffers, kernels, memory } = this.#parts;
    const { hiddenSize, intermediateSize } = config;
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    this.#normalize(kept.xMidNorm, kept.xMid, postAttentionLayernorm, [first, n]);
    const up = at(kept.up, intermediateSize);
    this.#products.forward(up, at(kept.xMidNorm, hiddenSize), upProj, n);
    const down = buffers.values + downProj.offset * 4;
    const bytes = new Uint8Array(memory.buffer);
    const from = at(kept.xMid, hiddenSize);
    bytes.copyWithin(at(next, hiddenSize), from, from + n * hiddenSize * 4);
    let nonZero = 0;
    for (let i = 0; i < n; i++) {
      const pairs = at(buffers.pairs.active, intermediateSize * 2) + i * intermediateSize * 8;
      const count = kernels.relu2Pairs(pairs, up + i * intermediateSize * 4, intermediateSize);
      kernels.sparseRows(
        at(next, hiddenSize) + i * hiddenSize * 4,
        pairs,
        count,
        down,
        hiddenSize,
        1,
      );
      nonZero += count;
    }
    return nonZero;
  }
}

/** Attention's struct, for sequences of contextLength tokens; returns its address. */
export function writeAttendShape({ config, memory, shapePtr, sizes }: TrainingParts): number {
  const { numAttentionHeads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
  const ptr = shapePtr + ATTEND_SHAPE_OFFSET;
  const dims = [numAttentionHeads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim, qkRopeHeadDim];
  new Int32Array(memory.buffer, ptr, 6).set([sizes.contextLength, ...dims]);
  new Float32Array(memory.buffer, ptr, 7)[6] = 1 / Math.sqrt(qkNopeHeadDim + qkRopeHeadDim);
  return ptr;
}
